// What is being looked at. All of it is in the address, so that a view can be shared.

const OWN_MEASURE = Math.max(0, DATA.measures.findIndex(({ name }) => name === DATA.own.measure));
const START = {
  image: 0, layer: "pseudo", fade: 70, measure: OWN_MEASURE,
  positions: null, // of every class; null: as in this round
  chosen: -1, // the class that the slider moves; -1: all
  other: 0, sort: "name", holds: -1, least: 0, most: 100,
};
const state = { ...START };
let drawing = false;

function update(change) {
  Object.assign(state, change);
  if (drawing) return;
  drawing = true;
  requestAnimationFrame(() => { drawing = false; writeAddress(); render(); });
}

const isOwn = () => state.positions === null;

// The positions in force; null: this round's rule, which no slider gives.
function positionsNow() {
  return state.positions || (state.measure === OWN_MEASURE ? DATA.own.positions : null);
}

function writeAddress() {
  const words = new URLSearchParams();
  words.set("image", DATA.images[state.image][0]);
  words.set("layer", state.layer);
  words.set("fade", state.fade);
  words.set("measure", DATA.measures[state.measure].name);
  if (!isOwn()) words.set("cut", new Set(state.positions).size === 1 ? state.positions[0] : state.positions.join("."));
  if (state.chosen >= 0) words.set("class", DATA.classes[state.chosen][0]);
  if (DATA.others.length) words.set("with", DATA.others[state.other].name);
  for (const key of ["sort", "least", "most"]) if (state[key] !== START[key]) words.set(key, state[key]);
  if (state.holds >= 0) words.set("holds", DATA.classes[state.holds][0]);
  const hash = `#${words}`;
  if (hash !== location.hash) history.replaceState(null, "", hash);
}

function readAddress() {
  const words = new URLSearchParams(location.hash.slice(1));
  const place = (list, key, name) => list.findIndex((entry) => name(entry) === words.get(key));
  const first = (entry) => entry[0], named = (entry) => entry.name;
  const number = (key, low, high) =>
    words.has(key) && isFinite(words.get(key)) ? Math.min(high, Math.max(low, Number(words.get(key)))) : START[key];
  const measure = place(DATA.measures, "measure", named);
  const change = {
    ...START,
    image: Math.max(0, place(DATA.images, "image", first)),
    layer: LAYERS.some(({ name }) => name === words.get("layer")) ? words.get("layer") : START.layer,
    fade: number("fade", 0, 100),
    measure: measure < 0 ? START.measure : measure,
    chosen: place(DATA.classes, "class", first),
    other: Math.max(0, place(DATA.others, "with", named)),
    sort: SORTS[words.get("sort")] ? words.get("sort") : START.sort,
    holds: place(DATA.classes, "holds", first),
    least: number("least", 0, 100),
    most: number("most", 0, 100),
  };
  const top = DATA.measures[change.measure].thresholds.length - 1;
  const cut = (words.get("cut") || "").split(".").map(Number);
  if (words.get("cut") && cut.every((at) => Number.isInteger(at) && at >= -1 && at <= top)) {
    if (cut.length === 1) change.positions = EVERY_CLASS.map(() => cut[0]);
    else if (cut.length === DATA.classes.length) change.positions = cut;
  }
  if (!change.positions && change.measure !== OWN_MEASURE) change.positions = matched(change.measure);
  Object.assign(state, change);
}
