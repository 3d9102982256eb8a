// What can be laid over an image: each layer gives every pixel a colour.

const LAYERS = [
  { name: "prediction", title: "Prediction", colour: (image) => byClass(image.prediction) },
  { name: "measure", title: "Measure", colour: byLevel },
  { name: "pseudo", title: "Pseudo-label", colour: (image) => byClass(pseudoLabel(image)) },
  { name: "truth", title: "Truth", colour: (image) => byClass(image.truth), needs: DATA.labelled },
  { name: "errors", title: "Right or wrong", colour: againstTruth, needs: DATA.labelled },
  { name: "difference", title: "Difference", colour: againstOther, needs: DATA.others.length > 0 },
].filter(({ needs }) => needs !== false);

const CLEAR = 0, WHITE = 0xffffffff, VEIL = 0xb0ffffff; // alpha, blue, green, red

function packedColour(text) {
  const value = parseInt(text.slice(1), 16);
  return (0xff000000 | (value & 255) << 16 | (value & 0xff00) | value >> 16) >>> 0;
}

const CLASS_COLOURS = new Uint32Array(256).fill(WHITE);
DATA.classes.forEach(([, colour], id) => { CLASS_COLOURS[id] = packedColour(colour); });
const HEAT = DATA.measures.map(({ colours }) => colours.map(packedColour));
const TRUTH_COLOURS = Object.values(DATA.colours.truth).map(packedColour);
const OTHER_COLOURS = Object.values(DATA.colours.other).map(packedColour);

// The labels that positions of a measure keep: the predicted class or IGNORE.
function kept(image, measure, positions) {
  const label = new Uint8Array(image.prediction.length), levels = image.levels[measure];
  for (let i = 0; i < label.length; i++) {
    const predicted = image.prediction[i];
    label[i] = levels[i] <= positions[predicted] ? predicted : IGNORE;
  }
  return label;
}

function pseudoLabel(image) {
  const positions = positionsNow();
  return positions ? kept(image, state.measure, positions) : image.labels[2];
}

function otherLabel(image) {
  const other = DATA.others[state.other];
  if (other.plane !== null) return image.labels[other.plane];
  const measure = DATA.measures.findIndex(({ name }) => name === other.measure);
  return kept(image, Math.max(0, measure), other.positions);
}

function coloured(image, colourAt) {
  const colours = new Uint32Array(image.width * image.height);
  for (let i = 0; i < colours.length; i++) colours[i] = colourAt(i);
  return colours;
}

const byClass = (label) => Uint32Array.from(label, (id) => CLASS_COLOURS[id]);

function byLevel(image) {
  const heat = HEAT[state.measure];
  return Uint32Array.from(image.levels[state.measure], (level) => heat[level]);
}

// Kept and right, kept and wrong, ignored and right, ignored and wrong; pixels without a true label are clear.
function againstTruth(image) {
  const label = pseudoLabel(image);
  return coloured(image, (i) => {
    if (image.truth[i] === IGNORE) return CLEAR;
    const isKept = label[i] !== IGNORE;
    const right = (isKept ? label[i] : image.prediction[i]) === image.truth[i];
    return TRUTH_COLOURS[2 * !isKept + !right];
  });
}

// Gained, another class, lost; where both rounds agree the image shows through.
function againstOther(image) {
  const label = pseudoLabel(image), other = otherLabel(image);
  return coloured(image, (i) => {
    if (label[i] === other[i]) return VEIL;
    if (other[i] === IGNORE) return OTHER_COLOURS[0];
    return label[i] === IGNORE ? OTHER_COLOURS[3] : OTHER_COLOURS[1];
  });
}

function layerTitle({ name, title }) {
  return name === "measure" ? DATA.measures[state.measure].name : title;
}
