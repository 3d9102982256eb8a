// The list of images: order, filters, and only the rows in sight, so that thousands open like twenty.

const ROW = 26; // pixels

const worst = (a, b, sign) => (a[2] === null) - (b[2] === null) || sign * (a[2] - b[2]);
const SORTS = {
  name: () => 0,
  least: (a, b) => a[1] - b[1],
  most: (a, b) => b[1] - a[1],
  worst: (a, b) => worst(a, b, 1),
  best: (a, b) => worst(a, b, -1),
};
let order = []; // numbers of the images that match, in order
let listed = ""; // the filters that made it

function holdsClass(mask, id) {
  const digit = mask[mask.length - 1 - (id >> 2)];
  return digit !== undefined && (parseInt(digit, 16) >> (id & 3) & 1) === 1;
}

function relist() {
  const filters = JSON.stringify([state.sort, state.holds, state.least, state.most]);
  if (filters === listed) return false;
  listed = filters;
  order = DATA.images.map((_, number) => number).filter((number) => {
    const [, share, , mask] = DATA.images[number];
    return 100 * share >= state.least && 100 * share <= state.most && (state.holds < 0 || holdsClass(mask, state.holds));
  });
  order.sort((a, b) => SORTS[state.sort](DATA.images[a], DATA.images[b]) || a - b);
  return true;
}

// Another place of the list; the image in sight may have been filtered out.
function step(by) {
  if (!order.length) return;
  const at = order.indexOf(state.image);
  const to = at < 0 ? 0 : Math.max(0, Math.min(order.length - 1, at + by));
  update({ image: order[to] });
}

function drawList() {
  const changed = relist();
  $("found").textContent = order.length === DATA.images.length ? `${order.length}` : `${order.length} of ${DATA.images.length}`;
  $("none").hidden = order.length > 0;
  $("list").hidden = !order.length;
  for (const key of ["sort", "least", "most"]) if ($(key) !== document.activeElement) $(key).value = state[key];
  $("holds").value = state.holds;
  const at = order.indexOf(state.image);
  $("place").textContent = at < 0 ? `– / ${order.length}` : `${at + 1} / ${order.length}`;
  $("previous").disabled = at <= 0 && order.length < 2 || at === 0;
  $("next").disabled = !order.length || at === order.length - 1;
  $("rows").style.height = `${order.length * ROW}px`;
  const top = at * ROW, list = $("list");
  if (at >= 0 && (changed || at !== drawList.last)) {
    if (top < list.scrollTop || top + ROW > list.scrollTop + list.clientHeight) list.scrollTop = top - list.clientHeight / 2;
  }
  drawList.last = at;
  drawRows();
}

function drawRows() {
  const list = $("list");
  const first = Math.max(0, Math.floor(list.scrollTop / ROW) - 4);
  const rows = [];
  for (let at = first; at < Math.min(order.length, first + Math.ceil(list.clientHeight / ROW) + 8); at++) rows.push(row(at));
  $("rows").replaceChildren(...rows);
  list.setAttribute("aria-activedescendant", order.includes(state.image) ? `image-${state.image}` : "");
}

function row(at) {
  const number = order[at], [id, share, accuracy] = DATA.images[number];
  const line = document.createElement("div");
  line.className = "row";
  line.id = `image-${number}`;
  line.style.top = `${at * ROW}px`;
  line.title = id;
  line.setAttribute("role", "option");
  line.setAttribute("aria-selected", String(number === state.image));
  line.setAttribute("aria-setsize", String(order.length));
  line.setAttribute("aria-posinset", String(at + 1));
  const name = document.createElement("span"), bdi = document.createElement("bdi");
  bdi.textContent = id; // of a long id the end is shown, which tells images apart
  name.append(bdi);
  const figures = [share, accuracy].map((value, place) => Object.assign(document.createElement("span"),
    { textContent: value === null ? "–" : (100 * value).toFixed(1), className: place ? "accuracy" : "" }));
  line.append(name, ...figures);
  line.onclick = () => update({ image: number });
  return line;
}
