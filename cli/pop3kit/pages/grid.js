// A page that is one table: rows are chosen, cells are walked through by keys and looked into.
"use strict";

const grid = document.querySelector('[role="grid"]');
const rows = [...grid.querySelectorAll("tr.row")];
const groupRows = [...grid.querySelectorAll("tr.group")];
const groupField = document.getElementById("group");
const textField = document.getElementById("text");
const boxes = [...document.querySelectorAll('input[name="outcome"]')];
const shown = document.getElementById("shown");
const dialog = document.getElementById("detail");

// One cell can be reached by Tab, and it is the one that was left last.
let current = null;

const PAGE = 10;

function visibleRows() {
  return rows.filter((row) => !row.hidden);
}

function cellsOf(row) {
  return [...row.querySelectorAll('[role="gridcell"]')];
}

function makeCurrent(cell) {
  if (current) current.tabIndex = -1;
  current = cell;
  if (current) current.tabIndex = 0;
}

function choose() {
  const words = textField.value.toLowerCase().split(/\s+/).filter(Boolean);
  const wanted = new Set(boxes.filter((box) => box.checked).map((box) => box.value));
  const everything = wanted.size === boxes.length;
  for (const row of rows) {
    const text = row.textContent.toLowerCase();
    const fits = cellsOf(row).some((cell) => wanted.has(cell.dataset.outcome));
    const here = !groupField || !groupField.value || groupField.value === row.dataset.group;
    const matches = words.every((word) => text.includes(word));
    row.hidden = !(here && matches && (everything || fits));
  }
  const inhabited = new Set(visibleRows().map((row) => row.dataset.group));
  for (const row of groupRows) row.hidden = !inhabited.has(row.dataset.group);
  const left = visibleRows();
  shown.textContent = `${left.length} of ${rows.length} rows`;
  if (!current || current.closest("tr").hidden) {
    makeCurrent(left.length ? cellsOf(left[0])[0] : null);
  }
}

// Where a key leads: row and column, from those of the current cell; what is outside is the edge.
function step(event, row, column, lastRow, lastColumn) {
  switch (event.key) {
    case "ArrowUp":
      return [row - 1, column];
    case "ArrowDown":
      return [row + 1, column];
    case "ArrowLeft":
      return [row, column - 1];
    case "ArrowRight":
      return [row, column + 1];
    case "PageUp":
      return [row - PAGE, column];
    case "PageDown":
      return [row + PAGE, column];
    case "Home":
      return [event.ctrlKey ? 0 : row, 0];
    case "End":
      return [event.ctrlKey ? lastRow : row, lastColumn];
    default:
      return null;
  }
}

function within(value, last) {
  return Math.max(0, Math.min(value, last));
}

function walk(event) {
  const visible = visibleRows();
  const row = event.target.closest("tr");
  const cells = cellsOf(row);
  const lastRow = visible.length - 1;
  const lastColumn = cells.length - 1;
  const to = step(event, visible.indexOf(row), cells.indexOf(event.target), lastRow, lastColumn);
  if (!to) return;
  event.preventDefault();
  makeCurrent(cellsOf(visible[within(to[0], lastRow)])[within(to[1], lastColumn)]);
  current.focus();
}

function open(cell) {
  const detail = pageData[Number(cell.dataset.detail)];
  document.getElementById("detail-title").textContent = detail.title;
  const outcome = document.getElementById("detail-outcome");
  outcome.textContent = detail.outcome;
  outcome.className = `tone-${detail.tone}`;
  const facts = detail.facts.map(([name, text]) => {
    const pair = document.createElement("div");
    pair.append(element("dt", name), element("dd", text));
    return pair;
  });
  document.getElementById("detail-facts").replaceChildren(...facts);
  const texts = detail.texts.flatMap(([name, text]) => [element("h3", name), element("pre", text)]);
  document.getElementById("detail-texts").replaceChildren(...texts);
  if (!dialog.open) dialog.showModal();
  dialog.scrollTop = 0;
  // The address of the page leads here now, for whoever wants to link to it.
  history.replaceState(null, "", `#${encodeURIComponent(detail.row)}`);
}

// An address with a row behind # leads to that row, and to what is to be seen of it.
function follow() {
  const row = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!row || !rows.includes(row)) return;
  const cell = cellsOf(row).find((each) => each.dataset.detail);
  row.scrollIntoView({ block: "center" });
  if (!cell) return;
  makeCurrent(cell);
  cell.focus();
  open(cell);
}

grid.addEventListener("keydown", (event) => {
  if (event.target.getAttribute("role") !== "gridcell") return;
  if ((event.key === "Enter" || event.key === " ") && event.target.dataset.detail) {
    event.preventDefault();
    open(event.target);
  } else {
    walk(event);
  }
});

grid.addEventListener("click", (event) => {
  const cell = event.target.closest('[role="gridcell"]');
  if (!cell) return;
  makeCurrent(cell);
  cell.focus();
  if (cell.dataset.detail) open(cell);
});

textField.addEventListener("input", choose);
for (const box of boxes) box.addEventListener("change", choose);
if (groupField) groupField.addEventListener("change", choose);
window.addEventListener("hashchange", follow);
document.querySelector(".filters").addEventListener("submit", (event) => event.preventDefault());

choose();
follow();
