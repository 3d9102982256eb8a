// The table of classes: colour, kept share here and in all images, accuracy; a row chooses what the slider moves.

// What is kept of the image on the screen, and of all images.
function summaries() {
  const positions = positionsNow(), here = shown && shown.counts[state.measure], all = TOTALS[state.measure];
  if (positions) return [here && tally(here, positions), tally(all, positions)];
  return [here && tallyOwn(here, shown.own), tallyOwn(all, DATA.own.counts)];
}

const OWN = tallyOwn(TOTALS[0], DATA.own.counts);
const keptShare = (sums) => share(sums.kept, sums.pixels);
const accuracyOf = (sums) => share(sums.right, sums.labelled);

function drawNumbers() {
  const [here, all] = summaries();
  showShare($("kept-here"), here ? keptShare(here) : null);
  showShare($("right-here"), here ? accuracyOf(here) : null);
  showShare($("kept-all"), keptShare(all));
  showShare($("right-all"), accuracyOf(all));
  const right = DATA.labelled ? `, ${percent(accuracyOf(OWN))} right` : "";
  $("reference").textContent = isOwn() ? "As in this round." : `In this round: ${percent(keptShare(OWN))} kept${right}.`;
  for (const [id, line] of classRows) drawClass(line, id, here, all);
}

function drawClass(line, id, here, all) {
  const [button, hereCell, allCell, rightCell] = line.parts;
  button.setAttribute("aria-pressed", String(state.chosen === id));
  const local = here && here.classes.get(id), whole = all.classes.get(id);
  showShare(hereCell, local && local.pixels ? share(local.kept, local.pixels) : null, "");
  const kept = share(whole.kept, whole.pixels);
  showShare(allCell, kept, "");
  allCell.style.setProperty("--part", `${Math.min(100, 100 * (kept || 0))}%`);
  showShare(rightCell, accuracyOf(whole), "");
}

const classRows = new Map();

function buildClasses() {
  const predicted = EVERY_CLASS.filter((id) => TOTALS[0].get(id).kept.at(-1) > 0);
  predicted.sort((a, b) => TOTALS[0].get(b).kept.at(-1) - TOTALS[0].get(a).kept.at(-1));
  for (const id of predicted) {
    const [name, colour] = DATA.classes[id];
    const line = $("class-rows").insertRow();
    const button = document.createElement("button"), text = document.createElement("span");
    text.textContent = name;
    button.append(swatch(colour, "").firstChild, text);
    button.title = name;
    button.onclick = () => update({ chosen: state.chosen === id ? -1 : id });
    line.insertCell().append(button);
    line.parts = [button, ...["", "bar", "accuracy"].map((kind) =>
      Object.assign(line.insertCell(), { className: kind }))];
    classRows.set(id, line);
    $("class").add(new Option(name, id));
  }
  const never = EVERY_CLASS.filter((id) => !classRows.has(id)).map((id) => DATA.classes[id][0]);
  $("absent").textContent = never.length ? `Never predicted: ${never.join(", ")}.` : "";
}
