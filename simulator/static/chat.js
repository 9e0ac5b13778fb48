// The chat page: speaks through the control API and follows the live feed.
const WORDS = {
  vi: {
    tagline: "Trò chuyện thử", channels: "Kênh", people: "Bạn đang là", newcomer: "Thêm một khách mới…", add: "Thêm khách",
    talk: "Cuộc trò chuyện", quick: "Trả lời nhanh", photo: "Gửi ảnh của bạn", sample: "Gửi ảnh mẫu", sticker: "Gửi nhãn dán", menu: "Mở menu của trang",
    write: "Viết tin nhắn…", send: "Gửi", operator: "Phía cửa hàng", delivered: "Webhook", accepted: "Lệnh nhận", refused: "Bị từ chối",
    staff: "Trả lời với vai nhân viên", staffHint: "Nhắn từ công cụ của nền tảng…", answer: "Trả lời", journal: "Bot vừa gọi nền tảng",
    follow: "Quan tâm", following: "Đang quan tâm", start: "Bắt đầu", started: "Đã bắt đầu", staffName: "Nhân viên", you: "Bạn", shop: "Cửa hàng",
    down: "Chưa kết nối được với bot. Tin nhắn vẫn được giữ và sẽ gửi lại; hãy kiểm tra xem bot đã chạy chưa.",
    refusedBy: "Bot từ chối webhook với mã {0}. Hãy kiểm tra khóa bí mật và cấu hình webhook của bot.", failed: "Chưa gửi được: {0}",
    empty: "Hãy gửi tin đầu tiên, ví dụ “xem điểm”.", typing: "đang soạn tin…", human: "Nhân viên đang trả lời", online: "Official Account", page: "Trang Facebook",
    gone: "Tin nhắn đã được thu hồi", today: "Hôm nay", sent: "Đã gửi", deliveredTick: "Đã nhận", seen: "Đã xem", picture: "Ảnh", stickerName: "Nhãn dán",
    none: "Chưa có lệnh nào.", unread: "Có tin mới", wrote: "đã viết", location: "Vị trí", tooBig: "Ảnh lớn hơn 25 MB.", language: "English",
    bot: "Zalo Bot (nhân viên)", botHint: "Chat của nhân viên với Zalo Bot. Gửi mã do “khachquen staff pair” tạo ra.", botOnline: "Zalo Bot",
  },
  en: {
    tagline: "Try a chat", channels: "Channel", people: "You are", newcomer: "Add a new customer…", add: "Add customer",
    talk: "Conversation", quick: "Quick replies", photo: "Send your photo", sample: "Send the sample photo", sticker: "Send a sticker", menu: "Open the page's menu",
    write: "Write a message…", send: "Send", operator: "The shop's side", delivered: "Webhooks", accepted: "Accepted", refused: "Refused",
    staff: "Answer as staff", staffHint: "Write from the platform's own tool…", answer: "Answer", journal: "The bot's latest calls",
    follow: "Follow", following: "Following", start: "Get started", started: "Started", staffName: "Staff", you: "You", shop: "The shop",
    down: "The bot cannot be reached. Messages are kept and sent again; check whether the bot is running.",
    refusedBy: "The bot refused the webhook with status {0}. Check its secrets and its webhook settings.", failed: "Not sent: {0}",
    empty: "Send the first message, for example “xem điểm”.", typing: "is typing…", human: "A person of the shop answers", online: "Official Account", page: "Facebook Page",
    gone: "This message was taken back", today: "Today", sent: "Sent", deliveredTick: "Delivered", seen: "Seen", picture: "Photo", stickerName: "Sticker",
    none: "No calls yet.", unread: "New message", wrote: "wrote", location: "Location", tooBig: "The picture is larger than 25 MB.", language: "Tiếng Việt",
    bot: "Zalo Bot (staff)", botHint: "A staff member’s chat with the Zalo bot. Send the code that “khachquen staff pair” made.", botOnline: "Zalo Bot",
  },
};
const JOURNAL_SHOWN = 30;
const CHANNELS = ["zalo", "messenger", "zalobot"];
const PICTURE_LIMIT = 25 * 1024 * 1024;
const $ = (id) => document.getElementById(id);
const now = { lang: remembered("lang", "vi"), channel: remembered("channel", "zalo"), person: "", people: [], lines: [], meanwhile: [], news: new Set(), menu: [], typing: 0, figures: { delivered: 0, accepted: 0, refused: 0 } };
const say = (key, value = "") => (WORDS[now.lang][key] ?? key).replace("{0}", value);

function remembered(key, fallback) {
  try { return localStorage.getItem("chat." + key) || fallback; } catch { return fallback; }
}
function remember(key, value) {
  try { localStorage.setItem("chat." + key, value); } catch { /* a private window: forget */ }
}
function el(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value !== null && value !== false) made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== null && child !== ""));
  return made;
}
async function call(path, body) {
  const options = body ? { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) } : {};
  const answer = await fetch(path, options);
  return answer.json();
}

function translate() {
  document.documentElement.lang = now.lang;
  for (const node of document.querySelectorAll("[data-text]")) node.textContent = say(node.dataset.text);
  for (const node of document.querySelectorAll("[data-label]")) node.setAttribute("aria-label", say(node.dataset.label));
  for (const node of document.querySelectorAll("[data-tip]")) node.title = say(node.dataset.tip);
  for (const node of document.querySelectorAll("[data-hint]")) node.placeholder = say(node.dataset.hint);
  $("language").textContent = now.lang === "vi" ? "EN" : "VI";
  $("language").setAttribute("aria-label", say("language"));
  $("language").title = say("language");
  $("language").lang = now.lang === "vi" ? "en" : "vi";
}
function me() {
  return now.people.find((person) => person.id === now.person);
}
function letter(name) {
  return (name.trim().split(/\s+/).pop() || "?").slice(0, 1).toUpperCase();
}
function face(person) {
  const made = el("span", { class: "face", "aria-hidden": "true" }, letter(person.name));
  made.style.background = person.colour;
  return made;
}

function showPeople() {
  const rows = now.people.map((person) => {
    const fresh = now.news.has(now.channel + "/" + person.id);
    const who = el("span", { class: "who" }, el("strong", { "data-short": person.name.trim().split(/\s+/).slice(-2).join(" ") }, el("span", {}, person.name)), el("small", {}, person.phone));
    const button = el("button", { type: "button", "data-testid": "person", "data-person": person.id, "aria-current": String(person.id === now.person), onclick: () => choose(now.channel, person.id) },
      face(person), who, fresh ? el("span", { class: "news", role: "img", "aria-label": say("unread") }) : "");
    return el("li", {}, button);
  });
  $("people").replaceChildren(...rows);
}
function showHeader() {
  const contact = me()?.[now.channel];
  const zalo = now.channel === "zalo";
  document.body.dataset.channel = now.channel;
  for (const name of CHANNELS) $("channel-" + name).setAttribute("aria-selected", String(name === now.channel));
  const follows = Boolean(contact?.following);
  $("follow").textContent = say(zalo ? (follows ? "following" : "follow") : follows ? "started" : "start");
  $("follow").setAttribute("aria-pressed", String(follows));
  const bot = now.channel === "zalobot";
  $("follow").hidden = bot || (!zalo && follows);
  $("staff").hidden = bot;
  const typing = Date.now() < now.typing;
  $("presence").textContent = typing ? say("typing") : contact?.inbox_owns ? say("human") : say(bot ? "botOnline" : zalo ? "online" : "page");
  $("menu").hidden = zalo || bot || now.menu.length === 0;
}
function time(text) {
  return new Date(text).toLocaleTimeString(now.lang === "vi" ? "vi-VN" : "en-GB", { hour: "2-digit", minute: "2-digit" });
}

function day(text) {
  const date = new Date(text);
  if (date.toDateString() === new Date().toDateString()) return say("today");
  return date.toLocaleDateString(now.lang === "vi" ? "vi-VN" : "en-GB", { day: "numeric", month: "long" });
}

function buttonOf(button) {
  const attributes = { "data-testid": "button", "data-kind": button.kind };
  if (button.kind === "url" && /^https?:/.test(button.payload)) {
    return el("a", { ...attributes, href: button.payload, target: "_blank", rel: "noopener noreferrer" }, button.title);
  }
  if (button.kind === "call") return el("a", { ...attributes, href: "tel:" + button.payload.replace(/[^\d+]/g, "") }, button.title);
  return el("button", { ...attributes, type: "button", onclick: () => send({ button: button.payload || button.title }) }, button.title);
}
function cardOf(card) {
  const picture = card.image ? el("img", { src: card.image, alt: "", loading: "lazy" }) : "";
  const words = el("div", {}, el("strong", {}, card.title), card.subtitle ? el("span", {}, card.subtitle) : "");
  return el("article", { class: "card" }, picture, words, card.buttons?.length ? el("div", { class: "actions" }, ...card.buttons.map(buttonOf)) : "");
}
function bubbleOf(line) {
  const side = line.side === "person" ? "bubble-person" : line.side === "staff" ? "bubble-staff" : "bubble-bot";
  if (line.kind === "unsent") return el("div", { class: "bubble gone", "data-testid": side }, say("gone"));
  if (line.kind === "sticker") return el("div", { class: "bubble bare", "data-testid": side }, el("img", { class: "sticker", src: "/static/sticker.svg", alt: say("stickerName") }));
  const bubble = el("div", { class: "bubble", "data-testid": side });
  const picture = line.media && ["image", "gif", "media"].includes(line.kind);
  if (picture) bubble.append(el("img", { class: "picture", src: line.media, alt: line.text || say("picture") }));
  else if (line.media) bubble.append(el("a", { href: line.media, target: "_blank", rel: "noopener noreferrer" }, line.text || line.kind));
  if (line.text && (picture || !line.media)) bubble.append(el("p", {}, line.kind === "location" ? `${say("location")}: ${line.text}` : line.text));
  if (picture && !line.text) bubble.classList.add("bare");
  if (line.reaction) bubble.append(el("span", { class: "reaction" }, line.reaction));
  return bubble;
}
function lineOf(line, previous) {
  const follows = previous?.side === line.side && previous.speaker === line.speaker;
  const side = line.side === "staff" ? "staff-side" : line.side;
  const made = el("div", { class: `line ${side}${follows ? " follows" : ""}${line.cards.length > 1 ? " wide" : ""}`, "data-id": line.message_id });
  const name = line.speaker || (line.side === "staff" ? say("staffName") : "");
  if (name && !follows) made.append(el("span", { class: "label" }, name));
  made.append(el("span", { class: "unseen" }, `${name || say(line.side === "person" ? "you" : "shop")} ${say("wrote")}:`));
  const bare = line.text || line.media || ["unsent", "sticker"].includes(line.kind) || !line.cards.length;
  if (bare) made.append(bubbleOf(line));
  if (line.cards.length) made.append(el("div", { class: "cards", "data-testid": "bubble-bot" }, ...line.cards.map(cardOf)));
  const onCards = line.cards.some((card) => card.buttons);
  const pressable = onCards ? [] : line.buttons.filter((button) => !["quick_reply", "share_phone"].includes(button.kind));
  if (pressable.length) made.append(el("div", { class: "actions" }, ...pressable.map(buttonOf)));
  const meta = el("div", { class: "meta" }, el("time", { datetime: line.at }, time(line.at)));
  const word = { sent: "sent", delivered: "deliveredTick", seen: "seen" }[line.tick];
  meta.append(el("span", { class: `tick ${line.tick}`, role: "img", "aria-label": say(word), title: say(word), "data-testid": "tick", "data-tick": line.tick }, line.tick === "sent" ? "✓" : "✓✓"));
  made.append(meta);
  return made;
}
function showTalk() {
  const talk = $("talk");
  const atEnd = talk.scrollHeight - talk.scrollTop - talk.clientHeight < 140;
  const rows = [];
  now.lines.forEach((line, index) => {
    const previous = now.lines[index - 1];
    if (!previous || day(previous.at) !== day(line.at)) rows.push(el("div", { class: "day" }, day(line.at)));
    rows.push(lineOf(line, previous));
  });
  if (!rows.length) rows.push(el("div", { class: "empty" }, el("img", { src: "/static/sticker.svg", alt: "" }), say(now.channel === "zalobot" ? "botHint" : "empty")));
  if (Date.now() < now.typing) rows.push(el("div", { class: "line bot" }, el("div", { class: "bubble typing", "aria-label": say("typing") }, el("i"), el("i"), el("i"))));
  talk.replaceChildren(...rows);
  if (atEnd) talk.scrollTop = talk.scrollHeight;
  const last = now.lines.at(-1);
  const quick = last?.side === "bot" ? last.buttons.filter((button) => ["quick_reply", "share_phone"].includes(button.kind)) : [];
  $("chips").replaceChildren(...quick.map(buttonOf));
}
function showMenu() {
  const open = $("menu").getAttribute("aria-expanded") === "true";
  $("menu").setAttribute("aria-expanded", String(!open));
  if (open) showTalk();
  else $("chips").replaceChildren(...now.menu.map(buttonOf));
}
function alarm(text) {
  $("alarm").textContent = text;
  $("alarm").hidden = !text;
}
function figures() {
  for (const name of ["delivered", "accepted", "refused"]) $("figure-" + name).textContent = now.figures[name];
  $("figure-refused").classList.toggle("bad", now.figures.refused > 0);
}
function note(entry, refused) {
  const list = $("journal");
  list.querySelector(".nothing")?.remove();
  const error = entry.error?.error?.message ?? entry.error?.message ?? "";
  const code = entry.error?.error?.code ?? entry.error?.error ?? "";
  const top = el("div", { class: "top" }, el("b", {}, refused ? String(code) : entry.kind), el("span", {}, `${entry.name || entry.channel} · ${time(entry.at)}`));
  const words = refused ? `${entry.path}: ${error}` : entry.text;
  list.prepend(el("li", { class: refused ? "refused" : "", "data-testid": refused ? "call-refused" : "call" }, top, words ? el("p", {}, words) : ""));
  while (list.children.length > JOURNAL_SHOWN) list.lastChild.remove();
}

async function refresh() {
  const [state, people] = await Promise.all([call("/api/state"), call("/api/people")]);
  now.people = people;
  now.menu = state.messenger.menu;
  now.figures = { delivered: state.webhooks.delivered, accepted: state.accepted, refused: state.refused };
  $("brand-name").textContent = $("shop").textContent = state.brand;
  document.title = state.brand;
  if (state.bot_is_up === false) alarm(say("down"));
  const calls = await call(`/api/journal?since=${Math.max(0, state.accepted - JOURNAL_SHOWN)}`);
  $("journal").replaceChildren(el("li", { class: "nothing" }, say("none")));
  const all = [...calls.map((entry) => [entry, false]), ...state.last_refused.map((entry) => [entry, true])];
  for (const [entry, refused] of all.sort((a, b) => a[0].at.localeCompare(b[0].at))) note(entry, refused);
  figures();
  const wanted = people.some((person) => person.id === now.person) ? now.person : remembered("person", "");
  const person = people.find((one) => one.id === wanted) ?? people[0];
  if (person) await choose(now.channel, person.id);
}
async function choose(channel, person) {
  Object.assign(now, { channel, person, typing: 0 });
  remember("channel", channel);
  remember("person", person);
  now.news.delete(channel + "/" + person);
  const meanwhile = now.meanwhile = [];
  const chat = await call(`/api/chat?channel=${channel}&person=${encodeURIComponent(person)}`);
  if (now.channel !== channel || now.person !== person) return;
  $("text").disabled = false;
  now.lines = chat.lines ?? [];
  for (const line of meanwhile.splice(0)) keep(line);
  Object.assign(me()[channel], { following: chat.following, inbox_owns: chat.inbox_owns });
  showPeople();
  showHeader();
  showTalk();
  $("talk").scrollTop = $("talk").scrollHeight;
  see();
}
function keep(line) {
  const index = now.lines.findIndex((one) => one.message_id === line.message_id);
  if (index >= 0) now.lines[index] = line;
  else now.lines.push(line);
}
function see() {
  if (document.visibilityState === "visible" && now.lines.some((line) => line.side !== "person" && line.tick !== "seen")) {
    call("/api/seen", { channel: now.channel, person: now.person });
  }
}
async function send(what, path = "/api/say") {
  const { channel, person } = now;
  try {
    const answer = await call(path, { channel, person, ...what });
    if (answer.error) alarm(say("failed", answer.error));
    else if (answer.ok) alarm("");
    else alarm(answer.status && answer.status < 500 ? say("refusedBy", answer.status) : say("down"));
    return answer;
  } catch (error) {
    alarm(say("failed", error.message));
    return { ok: false };
  }
}

const HEARD = {
  line({ channel, person, line }) {
    if (!now.people.some((one) => one.id === person)) return void refresh();
    if (channel !== now.channel || person !== now.person) {
      if (line.side !== "person") now.news.add(channel + "/" + person);
      return showPeople();
    }
    if (line.side !== "person") now.typing = 0;
    now.meanwhile.push(line);
    keep(line);
    $("menu").setAttribute("aria-expanded", "false");
    showHeader();
    showTalk();
    $("talk").scrollTop = $("talk").scrollHeight;
    if (line.side !== "person") see();
  },
  change({ channel, person, line }) {
    if (channel !== now.channel || person !== now.person) return;
    now.meanwhile.push(line);
    if (now.lines.some((one) => one.message_id === line.message_id)) keep(line);
    showTalk();
  },
  contact({ channel, person, following, inbox_owns }) {
    const found = now.people.find((one) => one.id === person);
    if (found) Object.assign(found[channel], { following, inbox_owns });
    showHeader();
  },
  action({ channel, person, action }) {
    if (channel !== now.channel || person !== now.person || action === "mark_seen") return;
    now.typing = action === "typing_on" ? Date.now() + 8000 : 0;
    showHeader();
    showTalk();
    setTimeout(() => { showHeader(); showTalk(); }, 8100);
  },
  call({ call: entry }) { now.figures.accepted = entry.n; figures(); note(entry, false); if (entry.kind === "messenger_profile") call("/api/state").then((state) => { now.menu = state.messenger.menu; showHeader(); }); },
  refused(entry) { now.figures.refused += 1; figures(); note(entry, true); },
  delivered({ count }) { now.figures.delivered = count; figures(); },
  bot({ up }) { alarm(up ? "" : say("down")); },
};
function listen() {
  const feed = new EventSource("/api/events");
  feed.onmessage = (message) => { const event = JSON.parse(message.data); HEARD[event.type]?.(event); };
  feed.onopen = () => refresh();
}

function fit() {
  const box = $("text");
  box.style.height = "40px";
  box.style.height = Math.min(120, box.scrollHeight) + "px";
}
$("composer").addEventListener("submit", (event) => {
  event.preventDefault();
  const text = $("text").value.trim();
  if (!text) return;
  $("text").value = "";
  fit();
  send({ text });
});
$("text").addEventListener("input", fit);
$("text").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); $("composer").requestSubmit(); }
});
$("photo").addEventListener("change", () => {
  const file = $("photo").files[0];
  $("photo").value = "";
  if (!file) return;
  if (file.size > PICTURE_LIMIT) return alarm(say("tooBig"));
  const reader = new FileReader();
  reader.onload = () => send({ image: reader.result, name: file.name });
  reader.readAsDataURL(file);
});
$("sample").addEventListener("click", () => send({ image: true }));
$("sticker").addEventListener("click", () => send({ sticker: true }));
$("menu").addEventListener("click", showMenu);
$("follow").addEventListener("click", () => send({}, now.channel === "zalo" && me()?.zalo.following ? "/api/unfollow" : "/api/follow"));
$("staff").addEventListener("submit", (event) => {
  event.preventDefault();
  const text = $("staff-text").value.trim();
  if (text) send({ text }, "/api/staff-says");
  $("staff-text").value = "";
});
$("newcomer").addEventListener("submit", async (event) => {
  event.preventDefault();
  const name = $("newcomer-name").value.trim();
  if (!name) return;
  $("newcomer-name").value = "";
  const made = await call("/api/people", { name });
  now.people = await call("/api/people");
  choose(now.channel, made.id);
});
for (const name of CHANNELS) $("channel-" + name).addEventListener("click", () => choose(name, now.person));
document.querySelector(".channels").addEventListener("keydown", (event) => {
  if (event.key !== "ArrowLeft" && event.key !== "ArrowRight") return;
  const step = event.key === "ArrowRight" ? 1 : CHANNELS.length - 1;
  const other = CHANNELS[(CHANNELS.indexOf(now.channel) + step) % CHANNELS.length];
  $("channel-" + other).focus();
  choose(other, now.person);
});
$("language").addEventListener("click", () => {
  now.lang = now.lang === "vi" ? "en" : "vi";
  remember("lang", now.lang);
  translate();
  refresh();
});
document.addEventListener("visibilitychange", see);
if (matchMedia("(max-width: 1080px)").matches) $("strip").open = false;
translate();
listen();
