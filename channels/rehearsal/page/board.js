// What stands in the place of the letters: a bot's keys, places to share, the button that begins a chat.

import { make } from "./bubbles.js";

const PLACES = [
  { name: "Fresno", latitude: 36.74, longitude: -119.79 },
  { name: "Phoenix", latitude: 33.45, longitude: -112.07 },
  { name: "Nueva York", latitude: 40.71, longitude: -74.01 },
  { name: "Yakima", latitude: 46.6, longitude: -120.51 },
];

export class Board {
  // `say` writes a text and `share` gives a place as the phone's owner.
  constructor(root, pin, { say, share }) {
    Object.assign(this, { root, pin, say, share, keyboard: null, choosing: false, start: "" });
    pin.onclick = () => this.choose(!this.choosing);
    root.onkeydown = event => { if (event.key === "Escape" && this.choosing) this.choose(false); };
  }

  clear() {
    this.keyboard = null;
    this.choosing = false;
    this.draw();
  }

  // A message came or was said: it may bring keys, or use up those that were there.
  follow(message) {
    if (message.keyboard) this.keyboard = message.keyboard.rows.length ? message.keyboard : null;
    else if (message.kind === "said" && this.keyboard?.once) this.keyboard = null;
    else return;
    this.draw();
  }

  // A link into the bot was opened: the chat begins with one press.
  open(payload) {
    this.start = payload;
    this.draw();
  }

  choose(choosing) {
    this.choosing = choosing;
    this.draw();
    (choosing ? this.root.querySelector("button") : this.pin).focus();
  }

  speak(words) {
    this.words = words;
    this.pin.setAttribute("aria-label", words.share);
    this.pin.title = words.share;
    this.draw();
  }

  // Drawn anew only when something changed, so that whoever is on a key stays on it.
  draw() {
    const now = JSON.stringify([this.choosing, this.start, this.keyboard, this.words.locale]);
    if (this.drawn === now) return;
    this.drawn = now;
    const rows = this.choosing ? this.places() : this.start ? [[this.starting()]] : this.keys();
    this.root.hidden = !rows.length;
    this.root.setAttribute("aria-label", this.choosing ? this.words.share : this.words.keys);
    this.root.replaceChildren(...rows.map(row => make("div", { className: "keys" }, ...row)));
    this.pin.setAttribute("aria-expanded", String(this.choosing));
  }

  keys() {
    return (this.keyboard?.rows ?? []).map(row => row.map(key =>
      button(key.text, key.asks === "place" ? () => this.choose(true) : () => this.say(key.text))));
  }

  places() {
    const places = PLACES.map(place => button(place.name, () => this.give(place), "place"));
    return [places.slice(0, 2), places.slice(2), [button(this.words.cancel, () => this.choose(false))]];
  }

  give(place) {
    this.choose(false);
    this.share(place);
  }

  starting() {
    return button(this.words.begin, () => {
      this.say(`/start ${this.start}`);
      this.open("");
    }, "begin");
  }
}

function button(text, onclick, kind = "") {
  return make("button", { type: "button", className: `key ${kind}`.trim(), onclick }, text);
}
