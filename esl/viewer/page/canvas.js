// The image in the middle: photograph, layer, legend, and what is known of the pixel under the pointer.

let shown = null; // the decoded image on the screen
let shownNumber = -1;
let pixel = null; // [x, y] of the probe

async function showCurrent() {
  const number = state.image;
  if (number === shownNumber) return draw();
  try {
    const image = await imageNumbered(number), photo = await picture(image.photo);
    if (number === state.image) show(image, number, photo);
    photo.close();
    if (number !== state.image) return;
  } catch (error) {
    if (number !== state.image) return;
    [shown, shownNumber] = [null, number];
    $("trouble").textContent = error.message;
    $("trouble").hidden = false;
  }
  render();
  const after = order[order.indexOf(number) + 1];
  if (shown && after !== undefined) imageNumbered(after).catch(() => {});
}

function show(image, number, photo) {
  [shown, shownNumber] = [image, number];
  $("trouble").hidden = true;
  $("photo").width = image.width;
  $("photo").height = image.height;
  $("photo").getContext("2d").drawImage(photo, 0, 0);
  announce();
}

function draw() {
  const layer = LAYERS.find(({ name }) => name === state.layer);
  $("overlay").style.opacity = state.fade / 100;
  $("name").textContent = DATA.images[state.image][0];
  $("layer-name").textContent = layerTitle(layer);
  $("frame").setAttribute("aria-label", `Image ${DATA.images[state.image][0]} with ${layerTitle(layer)}`);
  $("overlay").hidden = $("photo").hidden = shown === null;
  drawLegend(layer.name);
  if (!shown) return;
  fit();
  const canvas = $("overlay");
  canvas.width = shown.width;
  canvas.height = shown.height;
  const pixels = new ImageData(new Uint8ClampedArray(layer.colour(shown).buffer), shown.width, shown.height);
  canvas.getContext("2d").putImageData(pixels, 0, 0);
  drawReading();
}

// As large as the place allows, with the legend below still in sight.
function fit() {
  const room = matchMedia("(max-width: 999px)").matches ? innerHeight * 0.6 : Math.max(200, $("view").clientHeight - 232);
  $("frame").style.aspectRatio = `${shown.width} / ${shown.height}`;
  $("frame").style.width = `min(100%, ${Math.round(room * shown.width / shown.height)}px)`;
}

function swatch(colour, text) {
  const entry = document.createElement("span"), box = document.createElement("i");
  box.className = "swatch";
  box.style.background = colour;
  entry.append(box, text);
  return entry;
}

function drawLegend(layer) {
  const legend = $("legend");
  legend.replaceChildren();
  if (layer === "errors") for (const [text, colour] of Object.entries(DATA.colours.truth)) legend.append(swatch(colour, text));
  else if (layer === "difference") {
    const other = DATA.others[state.other].name;
    const colours = Object.values(DATA.colours.other);
    legend.append(swatch(colours[0], `kept here, not in ${other}`), swatch(colours[3], `kept in ${other}, not here`),
      swatch(colours[1], "another class"));
    if (shown) legend.append(differs());
  } else if (layer === "measure") legend.append(heatScale());
  else if (shown) legend.append(...classSwatches(layer));
}

// The classes in sight, the largest first.
function classSwatches(layer) {
  const label = layer === "truth" ? shown.truth : layer === "pseudo" ? pseudoLabel(shown) : shown.prediction;
  const pixels = new Uint32Array(256);
  for (const id of label) pixels[id]++;
  const ids = EVERY_CLASS.filter((id) => pixels[id]).sort((a, b) => pixels[b] - pixels[a]);
  const swatches = ids.map((id) => swatch(DATA.classes[id][1], DATA.classes[id][0]));
  if (pixels[IGNORE]) swatches.push(swatch("#fff", layer === "truth" ? "unlabelled" : "no pseudo-label"));
  return swatches;
}

function differs() {
  const label = pseudoLabel(shown), other = otherLabel(shown);
  const pixels = label.reduce((sum, id, i) => sum + (id !== other[i]), 0);
  return `${percent(pixels / label.length)} of this view differ`;
}

function heatScale() {
  const { name, sure, thresholds, colours } = DATA.measures[state.measure];
  const scale = document.createElement("div"), bar = document.createElement("i"), texts = document.createElement("div");
  scale.className = "scale";
  const steps = thresholds.map((value, at) => [value, colours[at]]).sort((a, b) => a[0] - b[0]);
  bar.style.background = `linear-gradient(90deg, ${steps.map(([value, colour]) => `${colour} ${100 * value}%`).join(",")})`;
  const ends = sure === "low" ? ["0: sure", name, "1: unsure"] : ["0: unsure", name, "1: sure"];
  for (const end of ends) texts.append(Object.assign(document.createElement("span"), { textContent: end }));
  scale.append(bar, texts);
  return scale;
}

function drawReading() {
  $("probe").hidden = pixel === null || !shown;
  if ($("probe").hidden) {
    $("reading").textContent = matchMedia("(pointer: coarse)").matches ? "Touch a pixel to read it."
      : "Point at a pixel to read it, or move the mark with Shift and the arrow keys.";
    return;
  }
  const [x, y] = pixel.map((value, axis) => Math.min(value, (axis ? shown.height : shown.width) - 1));
  const at = y * shown.width + x, label = pseudoLabel(shown)[at];
  $("probe").style.left = `${100 * (x + 0.5) / shown.width}%`;
  $("probe").style.top = `${100 * (y + 0.5) / shown.height}%`;
  const name = (id) => (id === IGNORE ? "unlabelled" : DATA.classes[id][0]);
  const words = [`predicted ${name(shown.prediction[at])}`, measured(shown.levels[state.measure][at])];
  words.push(label === IGNORE ? "not kept" : `kept${label === shown.prediction[at] ? "" : ` as ${name(label)}`}`);
  if (DATA.labelled) words.push(`truth ${name(shown.truth[at])}`);
  $("reading").textContent = words.join(" · ");
}

// The value of a pixel, as exactly as its level says.
function measured(level) {
  const { name, sure, thresholds } = DATA.measures[state.measure];
  const ends = [level ? thresholds[level - 1] : Number(sure === "high"), thresholds[level]].sort((a, b) => a - b);
  const [low, high] = ends.map((value) => value.toFixed(3));
  return low === high ? `${name} ${low}` : `${name} ${low} to ${high}`;
}

function movePixel(event) {
  const box = $("overlay").getBoundingClientRect();
  if (!shown || !box.width) return;
  const at = [(event.clientX - box.left) / box.width * shown.width, (event.clientY - box.top) / box.height * shown.height];
  pixel = at.map((value, axis) => Math.max(0, Math.min((axis ? shown.height : shown.width) - 1, Math.floor(value))));
  drawReading();
}

function nudgePixel(dx, dy) {
  if (!shown) return;
  const [x, y] = pixel || [shown.width >> 1, shown.height >> 1];
  const step = Math.max(1, Math.round(shown.width / 64));
  pixel = [Math.max(0, Math.min(shown.width - 1, x + dx * step)), Math.max(0, Math.min(shown.height - 1, y + dy * step))];
  drawReading();
}
