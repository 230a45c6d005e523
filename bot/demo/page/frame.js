// The frame around the channels. Each channel is simcord's own page in the iframe; this file chooses which, and as whom.
const $ = (id) => document.getElementById(id);
const KEY = "gamekeeper-playground";
const capability = location.hash.slice(1) || localStorage.getItem(KEY) || "";
const chosen = { channel: null, viewer: null, ...Object.fromEntries(new URLSearchParams(location.search)) };
let world = null;
let dead = 0;
let drawn = "";

const make = (tag, className, text) => Object.assign(document.createElement(tag), { className, textContent: text ?? "" });
const viewer = () => world.viewers.find((one) => one.label === chosen.viewer) ?? world.viewers[0];
const channelsOf = (one) => one.channels.map((channel) => channel.name);
const seenKey = (channel) => `${KEY}:${world.boot}:${viewer().id}:${channel}`;

function notice(text, bad = false) {
  $("notice").textContent = text;
  $("notice").hidden = !text;
  $("notice").classList.toggle("bad", bad);
}

function open(channel, label = viewer().label) {
  chosen.viewer = label;
  const visible = channelsOf(viewer());
  chosen.channel = visible.includes(channel) ? channel : visible[0];
  history.replaceState(null, "", `?${new URLSearchParams({ channel: chosen.channel, viewer: chosen.viewer })}#${capability}`);
  const address = `/c/${chosen.channel}/?as=${viewer().id}#${capability}`;
  if ($("view").dataset.address !== address) load(address);
  draw();
}

function load(address) {
  // A frame of its own for each address: the browser's Back button then leaves the playground, as people expect.
  const next = $("view").cloneNode();
  next.dataset.address = address;
  next.title = `#${chosen.channel} as ${viewer().name}`;
  next.src = address;
  $("view").replaceWith(next);
  dead = 0;
  void toNewest();
}

/** Waits until the page in the frame can be used; null when it was replaced meanwhile. */
async function ready() {
  const frame = $("view");
  for (let tries = 0; tries < 200 && frame.isConnected; tries += 1) {
    const inner = frame.contentWindow;
    if (inner?.simcordPreview?.ready && inner.document.getElementById("channel-composer-input")?.checkVisibility()) return inner;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return null;
}

/** As in Discord: a channel opens at its newest message and stays there while more come, unless the reader scrolls up. */
async function toNewest() {
  const inner = await ready();
  const timeline = inner?.document.getElementById("channel-timeline");
  if (!timeline) return;
  let pinned = true;
  const gap = () => timeline.scrollHeight - timeline.scrollTop - timeline.clientHeight;
  const follow = () => { if (pinned && gap() > 1) timeline.scrollTop = timeline.scrollHeight; };
  const settle = () => inner.requestAnimationFrame(() => inner.requestAnimationFrame(follow));
  // The reader scrolls with wheel, finger or scrollbar; every other movement is the page's own and is undone.
  const moving = () => { pinned = false; setTimeout(() => { pinned = gap() < 40; }, 200); };
  for (const kind of ["wheel", "touchmove"]) timeline.addEventListener(kind, moving, { passive: true });
  timeline.addEventListener("pointerdown", (event) => { if (event.target === timeline) pinned = false; });
  timeline.addEventListener("pointerup", (event) => { if (event.target === timeline) moving(); });
  timeline.addEventListener("scroll", settle, { passive: true });
  const sizes = new inner.ResizeObserver(settle);
  sizes.observe(timeline);
  sizes.observe(inner.document.getElementById("channel-message-list"));
  for (const id of ["new-messages", "send-message"]) {
    inner.document.getElementById(id).addEventListener("click", () => { pinned = true; settle(); });
  }
  settle();
}

/** Only when something has changed: a button that is replaced loses the focus, and the click that has begun on it. */
function draw() {
  const picture = JSON.stringify([chosen, world]);
  if (picture === drawn) return;
  drawn = picture;
  document.title = `#${chosen.channel} · ${world.guild}`;
  $("guild").textContent = world.guild;
  $("channel-list").replaceChildren(make("h2", "", "Text channels"), ...viewer().channels.map(drawChannel));
  $("viewer-list").replaceChildren(...world.viewers.map(drawViewer));
}

function drawChannel({ name, newest }) {
  const button = make("button", "channel", name);
  button.ariaLabel = name;
  const current = name === chosen.channel;
  if (current) {
    button.setAttribute("aria-current", "page");
    sessionStorage.setItem(seenKey(name), newest);
  }
  button.classList.toggle("unread", !current && BigInt(newest) > BigInt(sessionStorage.getItem(seenKey(name)) ?? 0));
  button.onclick = () => open(name);
  return button;
}

function drawViewer(one) {
  const button = make("button", "viewer");
  button.append(make("span", "face", one.name[0].toUpperCase()), make("span", "name", one.name), make("span", "label", one.label));
  button.setAttribute("aria-pressed", String(one === viewer()));
  button.onclick = () => open(chosen.channel, one.label);
  return button;
}

function drawSuggestions() {
  $("suggestions").replaceChildren(...world.suggestions.map((one) => {
    const button = make("button", "suggestion");
    button.append(make("strong", "", one.title), make("span", "who", `${one.viewer} · #${one.channel}`),
      make("code", "", one.command), make("small", "", one.hint));
    button.onclick = () => attempt(one);
    const item = document.createElement("li");
    item.append(button);
    return item;
  }));
}

/** Type a suggestion into the channel, as a person would, and leave the rest to the person. */
async function attempt(suggestion) {
  open(suggestion.channel, suggestion.viewer);
  const inner = await ready();
  const input = inner?.document.getElementById("channel-composer-input");
  if (!input) return;
  inner.document.querySelector(".command-context-close")?.click();
  input.value = suggestion.command;
  input.focus();
  input.setSelectionRange(input.value.length, input.value.length);
  input.dispatchEvent(new inner.Event("input", { bubbles: true }));
}

/** What the page in the frame would say in its own tool bar, which is hidden: only when something went wrong. */
function complaint() {
  const inner = $("view").contentWindow;
  const last = inner?.simcordPreview?.lastAction;
  if (!last || (!last.rejected && last.settlement !== "timeout")) return "";
  if (last.settlement === "timeout") return "This takes longer than five seconds. The answer appears here when it is ready.";
  return inner.document.getElementById("action-status").textContent;
}

/** A page whose session ended on the server (a restart, a night asleep) cannot come back by itself. */
function revive() {
  const status = $("view").contentWindow?.simcordPreview;
  dead = status && status.ready === false && !status.authorized ? dead + 1 : 0;
  if (dead > 2) load($("view").dataset.address);
}

async function refresh() {
  let answer;
  try {
    answer = await fetch("/overview", { headers: { "X-Simcord-Capability": capability }, cache: "no-store" });
  } catch {
    notice("The playground has stopped. Start it again with `make demo`: this page comes back by itself.", true);
    return;
  }
  if (answer.status === 401) {
    notice("This address is not complete. Open the one that `gamekeeper demo` printed.", true);
    return;
  }
  const restarted = world === null;
  const before = world?.boot;
  world = await answer.json();
  notice(complaint());
  if (restarted || before !== world.boot) {
    localStorage.setItem(KEY, capability);
    $("view").dataset.address = "";
    drawSuggestions();
    const [first] = world.suggestions;
    open(chosen.channel ?? first?.channel, chosen.viewer ?? first?.viewer ?? world.viewers[0].label);
  } else {
    draw();
    revive();
  }
}

for (;;) {
  await refresh();
  await new Promise((resolve) => setTimeout(resolve, 1500));
}
