'use strict';

// Elements of the page, and formats of numbers.

/** Makes an element with attributes and children; strings become text, never markup. */
function el(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== false) element.setAttribute(name, value === true ? '' : value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined));
  return element;
}

const percent = (share) => `${(100 * share).toFixed(1)}%`;
const whole = (count) => Math.round(count).toLocaleString('en');
const decimals = (value, digits = 3) => (value === null || value === undefined ? '–' : value.toFixed(digits));
const mega = (flops) => (flops / 1e6).toFixed(flops < 2e6 ? 2 : 1);
const interval = ([low, high]) => `${(100 * low).toFixed(1)}–${(100 * high).toFixed(1)}%`;
const times = (a, b) => (b > 0 ? `× ${(a / b).toFixed(1)}` : '–');

/** Formats a share in percentage points; a value other than 0 never looks like 0. */
function signed(share) {
  if (share === 0) return '0.0';
  const points = Math.abs(100 * share);
  let digits = 1;
  while (digits < 9 && Number(points.toFixed(digits)) === 0) ++digits;
  return `${share < 0 ? '−' : '+'}${points.toFixed(digits)}`;
}

/** Formats a p-value; one below .05 is never rounded to .05. */
function pValue(p) {
  if (p < 0.001) return '< .001';
  let digits = p < 0.0995 ? 3 : 2;
  while (p < 0.05 && Number(p.toFixed(digits)) >= 0.05) ++digits;
  return p.toFixed(digits).replace(/^0/, '');
}

function duration(seconds) {
  if (seconds < 59.95) return `${seconds.toFixed(1)} s`;
  const s = Math.round(seconds);
  const two = (n) => String(n).padStart(2, '0');
  if (s < 3600) return `${Math.floor(s / 60)} min ${two(s % 60)} s`;
  return `${Math.floor(s / 3600)} h ${two(Math.floor((s % 3600) / 60))} min`;
}

/** Makes a table with a row of headings. Columns of text are aligned left. */
function table(caption, heads, rows, textColumns = [0]) {
  const kind = (column) => (textColumns.includes(column) ? 'text' : undefined);
  return el('div', {class: 'scroll', tabindex: 0, role: 'region', 'aria-label': caption},
    el('table', {},
      el('caption', {}, caption),
      el('thead', {}, el('tr', {}, heads.map((head, i) => el('th', {scope: 'col', class: kind(i)}, head)))),
      el('tbody', {}, rows.map((row) => el('tr', {}, row.map((cell, i) => (i === 0
        ? el('th', {scope: 'row', class: 'text'}, cell)
        : el('td', {class: kind(i)}, cell))))))));
}

/** Makes radio buttons; calls chosen(value) at each choice, and now with the first value. */
function choice(legend, name, options, chosen) {
  const fieldset = el('fieldset', {class: 'choice'}, el('legend', {}, legend),
    options.map(([value, text], i) => el('label', {},
      el('input', {type: 'radio', name, value, checked: i === 0}), text)));
  fieldset.addEventListener('change', (event) => chosen(event.target.value));
  chosen(options[0][0]);
  return fieldset;
}

function section(id, title, ...children) {
  return el('section', {id}, el('h2', {}, title), children);
}
