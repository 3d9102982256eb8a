// Wiring: controls, keys, and what is drawn when anything changes.

const KEYS = [
  ["← →, p n", "previous, next image"],
  ["Home End", "first, last image"],
  ["PageUp PageDown", "ten images back, on"],
  ["/", "jump to an image by its id"],
  [`1 … ${LAYERS.length}`, `layer: ${LAYERS.map(({ title }) => title.toLowerCase()).join(", ")}`],
  ["Space", "layer off and on again"],
  ["− +", "fade towards image or layer"],
  ["[ ]", "threshold one step stricter, looser; with Shift five"],
  ["m", "next measure"],
  ["c", "next class for the slider; with Shift the one before"],
  ["0", "thresholds as in this round"],
  ["Shift and arrows", "move the mark that reads a pixel"],
  ["y", "copy the lines of the config"],
  ["Esc", "back from a control to the image"],
];

function render() {
  drawList();
  drawNumbers();
  drawSlider();
  for (const input of $("layers").querySelectorAll("input")) {
    input.checked = input.value === state.layer;
    input.nextSibling.textContent = layerTitle(LAYERS.find(({ name }) => name === input.value));
  }
  $("fade").value = state.fade;
  $("with-label").hidden = state.layer !== "difference";
  $("with").value = state.other;
  showCurrent();
}

function announce() {
  const [id, share] = DATA.images[state.image];
  $("announcement").textContent = `Image ${id}, ${percent(share)} kept in this round`;
}

function chooseMeasure(measure) {
  update({ measure, positions: measure === OWN_MEASURE ? null : matched(measure) });
}

const textIn = (tag, text) => Object.assign(document.createElement(tag), { textContent: text });

function build() {
  document.title = `${DATA.title}: viewer`;
  $("title").textContent = DATA.title;
  $("subtitle").textContent = `${DATA.images.length} target images · taught by ${DATA.teacher} · method ${DATA.method}`;
  $("all-title").textContent = `All ${DATA.images.length} images`;
  document.body.classList.toggle("unlabelled", !DATA.labelled);
  LAYERS.forEach(({ name, title }, at) => {
    const label = document.createElement("label"), input = document.createElement("input");
    Object.assign(input, { type: "radio", name: "layer", value: name, onchange: () => update({ layer: name }) });
    label.title = `Key ${at + 1}`;
    label.append(input, title);
    $("layers").append(label);
  });
  DATA.measures.forEach(({ name }, at) => $("measure").add(new Option(name, at)));
  DATA.others.forEach(({ name }, at) => $("with").add(new Option(name, at)));
  $("class").add(new Option("all classes", -1));
  $("holds").add(new Option("any class", -1));
  DATA.classes.forEach(([name], id) => $("holds").add(new Option(name, id)));
  if (!DATA.labelled) for (const value of ["worst", "best"]) $("sort").querySelector(`[value=${value}]`).remove();
  for (const [keys, meaning] of KEYS) {
    const name = document.createElement("dt");
    for (const key of keys.split(" ")) {
      name.append(/^(and|…)$/.test(key) ? ` ${key} ` : textIn("kbd", key.replace(",", "")), " ");
    }
    $("keys").append(name, textIn("dd", meaning));
  }
  buildClasses();
}

function wire() {
  $("previous").onclick = () => step(-1);
  $("next").onclick = () => step(1);
  $("fade").oninput = () => update({ fade: Number($("fade").value) });
  $("slider").oninput = () => moveSlider(Number($("slider").value));
  $("measure").onchange = () => chooseMeasure(Number($("measure").value));
  $("class").onchange = () => update({ chosen: Number($("class").value) });
  $("with").onchange = () => update({ other: Number($("with").value) });
  $("own").onclick = () => update({ positions: null, measure: OWN_MEASURE });
  $("sort").onchange = () => update({ sort: $("sort").value });
  $("holds").onchange = () => update({ holds: Number($("holds").value) });
  for (const key of ["least", "most"]) {
    $(key).oninput = () => update({ [key]: $(key).value === "" ? START[key] : Math.min(100, Math.max(0, Number($(key).value))) });
  }
  $("all").onclick = () => update({ holds: -1, least: 0, most: 100 });
  $("copy").onclick = copyLines;
  $("help-button").onclick = () => $("help").showModal();
  $("jump").onfocus = fillIds;
  $("jump").onchange = jump;
  $("list").onscroll = drawRows;
  $("unfold").onclick = unfold;
  $("frame").onpointermove = $("frame").onpointerdown = movePixel;
  $("frame").onpointerleave = (event) => { if (event.pointerType === "mouse") { pixel = null; drawReading(); } };
  document.onkeydown = onKey;
  onhashchange = () => { readAddress(); render(); };
  onresize = () => render();
}

// On a phone the list is folded away.
function unfold() {
  const open = $("browse").classList.toggle("unfolded");
  $("unfold").setAttribute("aria-expanded", String(open));
  drawList();
}

function fillIds() {
  if (!$("ids").children.length) $("ids").append(...DATA.images.map(([id]) => new Option(id)));
}

// The image of the id that is typed, or the first whose id contains it.
function jump() {
  const text = $("jump").value;
  let number = DATA.images.findIndex(([id]) => id === text);
  if (number < 0) number = DATA.images.findIndex(([id]) => id.includes(text));
  $("jump").setCustomValidity(number < 0 ? `no image has ${text} in its id` : "");
  if (number < 0) return $("jump").reportValidity();
  $("jump").value = "";
  update({ image: number });
  $("frame").focus();
  return true;
}

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || $("help").open) return;
  const focus = document.activeElement, kind = focus.tagName;
  if (event.key === "Escape") return focus.blur();
  if (kind === "TEXTAREA" || kind === "INPUT" && !["range", "radio"].includes(focus.type)) return;
  if (ARROWS[event.key] && event.shiftKey) {
    event.preventDefault();
    return nudgePixel(...ARROWS[event.key]);
  }
  const moves = event.key.startsWith("Arrow") || ["Home", "End", "PageUp", "PageDown"].includes(event.key);
  if (moves && (kind === "SELECT" || kind === "INPUT")) return; // the control's own keys
  if (event.key === " " && ["BUTTON", "SUMMARY", "SELECT"].includes(kind)) return;
  if (kind === "SELECT" && event.key.length === 1) return;
  if (act(event)) event.preventDefault();
}

function act({ key, shiftKey }) {
  const last = order.length, focused = document.activeElement === $("list");
  if (key === "ArrowLeft" || key === "p" || focused && key === "ArrowUp") step(-1);
  else if (key === "ArrowRight" || key === "n" || focused && key === "ArrowDown") step(1);
  else if (key === "Home") step(-last);
  else if (key === "End") step(last);
  else if (key === "PageUp") step(-10);
  else if (key === "PageDown") step(10);
  else if (key === "/") $("jump").focus();
  else if (key === "?") $("help").showModal();
  else if (key === " ") update({ fade: state.fade ? 0 : act.fade || START.fade });
  else if (key === "+" || key === "=") update({ fade: Math.min(100, state.fade + 10) });
  else if (key === "-" || key === "−") update({ fade: Math.max(0, state.fade - 10) });
  else if (key === "[" || key === "{") nudgeSlider(shiftKey ? -5 : -1);
  else if (key === "]" || key === "}") nudgeSlider(shiftKey ? 5 : 1);
  else if (key === "m" && DATA.measures.length > 1) chooseMeasure((state.measure + 1) % DATA.measures.length);
  else if (key === "c" || key === "C") nextClass(shiftKey ? -1 : 1);
  else if (key === "0") $("own").click();
  else if (key === "y") copyLines();
  else if (LAYERS[Number(key) - 1]) update({ layer: LAYERS[Number(key) - 1].name });
  else return false;
  if (state.fade) act.fade = state.fade;
  return true;
}

function nudgeSlider(by) {
  const top = DATA.measures[state.measure].thresholds.length - 1;
  moveSlider(Math.max(-1, Math.min(top, sliderPosition() + by)));
}

function nextClass(by) {
  const choices = [-1, ...classRows.keys()];
  update({ chosen: choices[(choices.indexOf(state.chosen) + by + choices.length) % choices.length] });
}

build();
wire();
readAddress();
relist();
if (!location.hash && order.length) state.image = order[0];
writeAddress();
render();
