// Three phones: who holds each, what is on its screen, what its owner writes. The server knows everything;
// this page shows it and forgets nothing that matters when it is reloaded.

import { WORDS, why } from "./words.js";
import { Board } from "./board.js";
import { again, bubble, localDay, localTime, make, said } from "./bubbles.js";

const CHANNELS = { telegram: "Telegram", sms: "SMS", whatsapp: "WhatsApp" };
const VENDORS = { telegram: "Telegram", sms: "Twilio", whatsapp: "Twilio" };
const NEAR = 80;
const PAYLOAD = /^[\w-]{1,64}$/; // what a link into a Telegram bot may carry
const columns = {};
let language = "es";
let everyone = [];

const words = () => WORDS[language];
const where = person => ({ channel: person.channel, address: person.address });

async function ask(path, body) {
  const options = body && { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
  const answer = await fetch(`/rehearsal/${path}`, options);
  return answer.ok ? answer.json() : null;
}

function pretty(address) {
  return address.replace(/^\+1(\d{3})(\d{3})(\d{4})$/, "+1 $1 $2 $3");
}

class Column {
  constructor(channel) {
    const part = document.getElementById("column").content.cloneNode(true);
    this.channel = channel;
    this.root = part.querySelector(".column");
    this.root.dataset.channel = channel;
    this.at = name => this.root.querySelector(name);
    this.at(".channel").textContent = CHANNELS[channel];
    this.at(".channel").id = `channel-${channel}`;
    this.root.setAttribute("aria-labelledby", `channel-${channel}`);
    this.at(".phone").classList.add(channel);
    this.at(".person").onchange = event => this.choose(event.target.value);
    this.at(".situation").onchange = event => ask("people", [{ ...this.person, state: event.target.value }]);
    this.at(".write").onsubmit = event => this.submit(event);
    this.board = new Board(this.at(".board"), this.at(".pin"), {
      say: text => { this.say(text); this.at("input").focus(); },
      share: place => ask("share", { ...where(this.person), ...place }),
    });
    this.unread = new Set();
    this.keepEnd();
    document.getElementById("phones").append(part);
  }

  get people() {
    return everyone.filter(person => person.channel === this.channel);
  }

  // The pickers again, and the same person as before where there still is one.
  async refresh() {
    const before = this.person?.address;
    this.person = this.people.find(person => person.address === before) ?? this.people[0];
    this.speak();
    if (this.person?.address !== before || this.stale) await this.load();
  }

  async choose(address) {
    this.person = this.people.find(person => person.address === address);
    this.unread.delete(address);
    this.speak();
    await this.load();
  }

  async load() {
    this.stale = false;
    const turn = this.turn = {};
    const messages = this.person ? await ask(`messages?${new URLSearchParams(where(this.person))}`) : [];
    if (this.turn !== turn) return; // asked again meanwhile
    this.at(".screen").replaceChildren();
    this.board.clear();
    for (const message of messages ?? []) this.put(message, true);
    this.scroll();
    this.look();
  }

  // Everything that is words, in the language of now.
  speak() {
    const w = words(), person = this.person, name = person?.name || pretty(person?.address ?? "");
    for (const element of this.root.querySelectorAll("[data-word]")) element.textContent = w[element.dataset.word];
    this.options();
    this.at(".screen").setAttribute("aria-label", person ? w.screen(CHANNELS[this.channel], name) : w.noOne);
    this.at(".promise").textContent = person ? w.promise(name) : w.noOne;
    const suggestions = this.suggestions();
    this.at(".hint").textContent = person ? w.hint(suggestions[0]) : "";
    this.at(".chips").setAttribute("aria-label", w.suggestions);
    this.at(".chips").replaceChildren(...suggestions.map(text =>
      make("button", { type: "button", className: "chip", disabled: !person, onclick: () => this.say(text) }, text)));
    this.board.speak(w);
    const input = this.at("input");
    input.disabled = this.at(".send").disabled = this.at(".pin").disabled = !person;
    input.placeholder = person ? w.write(name) : "";
    input.setAttribute("aria-label", person ? w.write(name) : w.noOne);
    this.at(".send").setAttribute("aria-label", w.send);
    this.contact();
    this.tick();
  }

  options() {
    const w = words(), person = this.person;
    const label = one => [(this.unread.has(one.address) ? "● " : "") + (one.name || pretty(one.address)), one.note];
    this.at(".person").replaceChildren(...this.people.map(one => new Option(label(one).filter(Boolean).join(" · "), one.address)));
    if (!person) this.at(".person").append(new Option(w.nobody, ""));
    this.at(".person").value = person?.address ?? "";
    this.at(".person").disabled = !person;
    this.at(".situation").replaceChildren(...Object.entries(w.states[this.channel]).map(([state, text]) => new Option(text, state)));
    this.at(".situation").value = person?.state ?? "ok";
    this.at(".situation").disabled = !person;
  }

  suggestions() {
    const own = this.person?.language.slice(0, 2);
    return (WORDS[own] ?? words()).said;
  }

  contact() {
    const sender = this.person?.sender ?? "";
    this.at(".sender").textContent = sender ? (this.channel === "telegram" ? "bot" : pretty(sender)) : words().noSender;
  }

  tick() {
    this.at(".clock").textContent = localTime(words(), Date.now(), this.person?.timezone);
    this.at(".zone").textContent = this.person ? pretty(this.person.channel === "telegram" ? "" : this.person.address) : "";
  }

  // A message is added once; afterwards what is known of it changes, or what it says.
  put(message, quietly = false) {
    const screen = this.at(".screen");
    const old = screen.querySelector(`[data-id="${CSS.escape(message.id)}"]`);
    if (old) {
      if (message.kind === "note") return;
      if (old.said === said(message)) again(words(), old, message);
      else old.replaceWith(this.item(message));
      return;
    }
    const near = screen.scrollHeight - screen.scrollTop - screen.clientHeight < NEAR;
    const day = localDay(words(), message.at, this.person.timezone);
    if (screen.dataset.day !== day || !screen.children.length) screen.append(make("li", { className: "day" }, day));
    screen.dataset.day = day;
    const item = this.item(message);
    item.classList.toggle("new", !quietly);
    screen.append(item);
    this.board.follow(message);
    if (!quietly && (near || message.kind === "said")) this.scroll();
  }

  item(message) {
    return bubble(words(), message, this.person, (of, button) => this.press(of, button));
  }

  // When keys come or go below, whoever was reading the end still reads the end.
  keepEnd() {
    const screen = this.at(".screen");
    let atEnd = true;
    screen.onscroll = () => { atEnd = screen.scrollHeight - screen.scrollTop - screen.clientHeight < NEAR; };
    new ResizeObserver(() => { if (atEnd) screen.scrollTop = screen.scrollHeight; }).observe(screen);
  }

  // To the end; but a message taller than the screen is read from its beginning.
  scroll() {
    const screen = this.at(".screen"), last = screen.lastElementChild;
    screen.scrollTop = last ? Math.min(screen.scrollHeight, last.offsetTop - 10) : 0;
  }

  arrive(message) {
    if (message.address !== this.person?.address) {
      if (message.kind !== "heard" || this.unread.has(message.address)) return;
      this.unread.add(message.address);
      this.options();
      return;
    }
    this.put(message);
    if (message.kind === "heard" && message.sender !== this.person.sender) {
      this.person.sender = message.sender;
      this.contact();
    }
    this.look();
  }

  // What a watched WhatsApp phone shows is read.
  look() {
    const waiting = this.at('.screen [data-status="delivered"]');
    if (this.channel === "whatsapp" && waiting && !document.hidden) ask("seen", where(this.person));
  }

  submit(event) {
    event.preventDefault();
    const input = this.at("input"), text = input.value;
    if (!text.trim()) return;
    input.value = "";
    this.say(text);
    input.focus();
  }

  say(text) {
    return ask("say", { ...where(this.person), text });
  }

  press(message, button) {
    return ask("press", { ...where(this.person), id: message.id, data: button.data });
  }

  count(count) {
    const w = words();
    this.at(".saw").textContent = w.saw(VENDORS[this.channel]);
    this.at(".counts").textContent = w.counts(count.accepted, count.refused, count.failed)
      + (count.edited ? w.changed(count.edited) : "") + (count.unreached ? w.unreached(count.unreached) : "");
    this.at(".last").textContent = count.last ? w.last + why(w, count.last) : w.quiet;
  }
}

async function load() {
  const known = await ask("people");
  if (!known) return;
  everyone = known.people;
  count(known);
  await Promise.all(Object.values(columns).map(column => column.refresh()));
}

function count({ everyone: total, counts }) {
  const crowd = document.getElementById("crowd"), more = total - everyone.length;
  crowd.hidden = more <= 0;
  crowd.textContent = words().crowd(new Intl.NumberFormat(words().locale).format(more));
  for (const [channel, column] of Object.entries(columns)) column.count(counts[channel]);
}

function speak(chosen) {
  language = WORDS[chosen] ? chosen : "es";
  localStorage.setItem("language", language);
  document.documentElement.lang = language;
  for (const element of document.querySelectorAll(".top [data-word], .foot [data-word]")) {
    element.textContent = words()[element.dataset.word];
  }
  for (const button of document.querySelectorAll("[data-language]")) {
    button.setAttribute("aria-pressed", String(button.dataset.language === language));
  }
  for (const column of Object.values(columns)) column.stale = true;
  return load();
}

function state(word) {
  const line = document.getElementById("state");
  line.dataset.word = word;
  line.textContent = words()[word];
}

function listen() {
  const events = new EventSource("/rehearsal/events");
  let lost = false;
  events.onopen = () => {
    state("tagline");
    if (lost) for (const column of Object.values(columns)) column.stale = true;
    load();
    document.documentElement.dataset.ready = "yes";
  };
  events.onerror = () => { lost = true; state("lost"); };
  events.addEventListener("bubble", event => {
    const message = JSON.parse(event.data);
    columns[message.channel].arrive(message);
  });
  events.addEventListener("counts", event => count(JSON.parse(event.data)));
  events.addEventListener("people", load);
  events.addEventListener("reset", () => {
    for (const column of Object.values(columns)) column.stale = true;
    load();
  });
}

for (const channel of Object.keys(CHANNELS)) columns[channel] = new Column(channel);
for (const button of document.querySelectorAll("[data-language]")) button.onclick = () => speak(button.dataset.language);
document.addEventListener("visibilitychange", () => Object.values(columns).forEach(column => column.look()));
setInterval(() => Object.values(columns).forEach(column => column.tick()), 10_000);
await speak(localStorage.getItem("language") ?? "es");
const start = new URLSearchParams(location.search).get("start") ?? "";
if (PAYLOAD.test(start)) columns.telegram.board.open(start);
listen();
