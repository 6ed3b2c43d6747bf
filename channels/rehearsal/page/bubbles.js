// One message on a screen, built node by node. Text from outside is only ever text: no markup is parsed here.

import { why } from "./words.js";

const TAGS = {
  b: "strong", i: "em", u: "u", s: "s", code: "code", pre: "pre", blockquote: "blockquote", spoiler: "span", a: "a",
};
const SVG = "http://www.w3.org/2000/svg";
const MOST_BUTTONS = 3; // of WhatsApp under a message; more are rows of a list
const SAFE = /^(https?|tg):/i;

export function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

// The server's tree of words and looks into elements of the few kinds above.
export function rich(tree) {
  return tree.map(node => {
    if (typeof node === "string") return document.createTextNode(node);
    const element = make(TAGS[node.tag] ?? "span", {}, ...rich(node.children));
    if (node.tag === "spoiler") element.className = "spoiler";
    if (node.tag === "a" && node.href) link(element, node.href);
    return element;
  });
}

function link(element, address) {
  const href = /^[\w-]+(\.[\w-]+)+/.test(address) && !address.includes(":") ? `https://${address}` : address;
  if (SAFE.test(href)) Object.assign(element, { href, target: "_blank", rel: "noopener noreferrer", title: href });
}

export function localTime(words, at, timezone) {
  return format(words, at, timezone, { hour: "numeric", minute: "2-digit" });
}

export function localDay(words, at, timezone) {
  return format(words, at, timezone, { weekday: "long", day: "numeric", month: "long" });
}

function format(words, at, timezone, options) {
  return new Intl.DateTimeFormat(words.locale, { ...options, timeZone: timezone || undefined }).format(new Date(at));
}

export function bubble(words, message, person, press) {
  const item = make("li", { className: `item ${message.kind}` });
  item.dataset.id = message.id;
  if (message.kind === "note") {
    item.append(make("p", { className: "note" }, remark(words, message)));
    return item;
  }
  item.said = said(message);
  const parts = message.file ? [file(words, message.file)] : [];
  if (message.tree.length) parts.push(make("div", { className: "text" }, ...rich(message.tree)));
  const time = make("time", { dateTime: message.at }, localTime(words, message.at, person.timezone));
  const foot = make("span", { className: "meta" }, time);
  if (message.edited) foot.prepend(make("span", { className: "edited" }, words.edited));
  item.append(make("div", { className: "bubble" }, ...parts, foot));
  const rows = message.buttons.map(row => keys(row, message, press));
  if (message.channel === "whatsapp" && rows.length > MOST_BUTTONS) {
    item.append(list(words, rows));
  } else {
    item.append(...rows);
  }
  again(words, item, message);
  return item;
}

// What is written in a message, to see whether it was changed.
export function said(message) {
  return JSON.stringify([message.tree, message.file?.file_id]);
}

// A file to keep: its calendar sheet, its name, and how large it is.
function file(words, document) {
  const size = words.bytes(new Intl.NumberFormat(words.locale).format(Math.max(1, Math.round(document.file_size / 1024))));
  const name = make("span", { className: "name" }, document.file_name);
  const link = make("a", { className: "file", href: `/rehearsal/files/${encodeURIComponent(document.file_id)}`, download: document.file_name },
    drawn("0 0 24 24", ["M5 6.500h14v13H5z", "M5 10.500h14", "M9 4v4", "M15 4v4"]), make("span", {}, name, make("span", { className: "size" }, size)));
  link.title = words.keep;
  return link;
}

function remark(words, message) {
  if (!message.code) return message.text === "STOP" ? words.stop : words.start;
  const vendorCode = message.code >= 1000;
  return words.notArrived(why(words, {
    code: vendorCode ? message.code : 0, status: vendorCode ? 0 : message.code, reason: message.text,
  }));
}

// WhatsApp's list: its rows are behind one button, and gone again when one was chosen.
function list(words, rows) {
  const opener = make("summary", { className: "key" }, words.list);
  const folded = make("details", { className: "list" }, opener, ...rows);
  folded.ontoggle = () => folded.scrollIntoView({ block: "nearest" });
  folded.onclick = event => {
    if (!event.target.matches("button")) return;
    folded.open = false;
    opener.focus();
  };
  return folded;
}

function keys(row, message, press) {
  return make("div", { className: "keys" }, ...row.map(button => {
    if (button.url) {
      const key = make("a", { className: "key" }, button.text);
      link(key, button.url);
      return key;
    }
    const key = make("button", { className: "key", type: "button", onclick: () => press(message, button) }, button.text);
    key.dataset.data = button.data;
    return key;
  }));
}

// Write, or rewrite, what has become of a message: which of its buttons turns, and what the consulate knows.
export function again(words, item, message) {
  for (const key of item.querySelectorAll("button.key")) {
    const turning = message.turning === key.dataset.data;
    key.classList.toggle("turning", turning);
    key.ariaBusy = String(turning);
    key.title = turning ? words.turning : "";
  }
  receipt(words, item, message);
}

function receipt(words, item, message) {
  item.querySelector(".receipt")?.remove();
  const word = words.receipts[message.status];
  if (!word) return;
  item.dataset.status = message.status;
  const sign = make("span", { className: `receipt ${message.status}`, title: words.receipt(word) });
  if (message.channel === "whatsapp" && message.status !== "unheard") sign.append(ticks(message.status));
  sign.append(make("span", { className: "word" }, word));
  item.querySelector(".meta").append(sign);
}

function ticks(status) {
  const shapes = {
    queued: ["M10 1.500a4.500 4.500 0 1 0 .01 0", "M10 3.500V6l1.800 1"],
    sent: ["M6 6.500 9 9.500 15.500 2.500"],
  };
  return drawn("0 0 20 12", shapes[status] ?? ["M2 6.500 5 9.500 11.500 2.500", "M9 8.500 10 9.500 16.500 2.500"]);
}

function drawn(box, shapes) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", box);
  svg.setAttribute("aria-hidden", "true");
  for (const d of shapes) {
    const path = document.createElementNS(SVG, "path");
    path.setAttribute("d", d);
    svg.append(path);
  }
  return svg;
}
