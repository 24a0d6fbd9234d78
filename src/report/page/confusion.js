'use strict';

// Confusion matrices: true classes in rows, predicted classes in columns.

/** Converts counts to shares of their row. */
function rates(counts) {
  return counts.map((row) => {
    const all = row.reduce((a, b) => a + b, 0);
    return row.map((count) => (all > 0 ? count / all : 0));
  });
}

/** Makes a matrix; `cell(truth, prediction)` returns {text, title, strength, lost}, strength 0 to 1. */
function matrixTable(caption, classes, cell) {
  return el('div', {class: 'scroll', tabindex: 0, role: 'region', 'aria-label': caption},
    el('table', {class: 'confusion'}, el('caption', {}, caption),
      el('thead', {}, el('tr', {}, el('th', {}, 'true ↓ predicted →'),
        classes.map((name) => el('th', {scope: 'col', title: name}, el('span', {}, name))))),
      el('tbody', {}, classes.map((truth, t) => el('tr', {}, el('th', {scope: 'row'}, truth),
        classes.map((prediction, p) => {
          const {text, title, strength, lost} = cell(t, p);
          const tint = lost ? '--lost' : '--cell';
          return el('td', {class: t === p ? 'own' : undefined, title,
            style: `background: rgba(var(${tint}), ${(0.85 * strength).toFixed(3)})`}, text);
        }))))));
}

function confusionTable(name, {classes, counts}, asRates) {
  const shares = rates(counts);
  return matrixTable(`${name}: ${asRates ? '% of the true class' : 'images'}`, classes, (t, p) => ({
    text: asRates ? (100 * shares[t][p]).toFixed(0) : String(counts[t][p]),
    title: `${classes[t]} predicted as ${classes[p]}: ${counts[t][p]} images, ${percent(shares[t][p])}`,
    strength: shares[t][p],
    lost: false,
  }));
}

/** Shows the mixture minus the baseline; red where the mixture is worse. */
function differenceTable(baseline, mixture, asRates) {
  const {classes} = baseline;
  const before = asRates ? rates(baseline.counts) : baseline.counts;
  const after = asRates ? rates(mixture.counts) : mixture.counts;
  const change = (t, p) => after[t][p] - before[t][p];
  const most = Math.max(1e-9, ...classes.flatMap((_, t) => classes.map((__, p) => Math.abs(change(t, p)))));
  const scale = asRates ? 100 : 1;
  return matrixTable(`mixture minus baseline: ${asRates ? 'percentage points of the true class' : 'images'}`, classes, (t, p) => {
    const value = Math.round(scale * change(t, p));
    return {
      text: value === 0 ? '0' : `${value > 0 ? '+' : '−'}${Math.abs(value)}`,
      title: `${classes[t]} predicted as ${classes[p]}: ${baseline.counts[t][p]} by the baseline, ${mixture.counts[t][p]} by the mixture`,
      strength: Math.abs(change(t, p)) / most,
      lost: (t === p) === (value < 0),
    };
  });
}

function mostConfused({classes, counts}, limit = 8) {
  return counts.flatMap((row, t) => row.map((count, p) => ({count, t, p})))
    .filter(({count, t, p}) => t !== p && count > 0)
    .sort((a, b) => b.count - a.count).slice(0, limit)
    .map(({count, t, p}) => [`${classes[t]} predicted as ${classes[p]}`, whole(count), percent(rates(counts)[t][p])]);
}

function reportTable(name, {classification_report: report, confusion: {classes}}) {
  const row = (title, {precision, recall, f1, support}) =>
    [title, decimals(precision), decimals(recall), decimals(f1), whole(support)];
  return table(name, ['', 'precision', 'recall', 'F1', 'images'], [
    ...classes.map((each) => row(each, report.classes[each])),
    row('macro mean', report.macro), row('weighted mean', report.weighted)]);
}

function confusionSection(results) {
  const models = ['baseline', 'mixture'].filter((name) => results[name]);
  const matrixOf = (name) => results[name].confusion;
  const alone = models.length === 1;
  const box = el('div', {class: 'matrices'});
  let view = 'both';
  let asRates = false;
  const show = () => {
    const tables = {
      both: () => models.map((name) => confusionTable(name, matrixOf(name), asRates)),
      difference: () => [differenceTable(...models.map(matrixOf), asRates)],
    };
    box.replaceChildren(el('div', {class: view === 'both' && !alone ? 'pair' : undefined}, tables[view]()));
  };
  const heads = ['', 'images', 'share of the class'];
  return section('confusions', 'Confusion matrices',
    alone ? null : choice('Show', 'view', [['both', 'baseline and mixture'], ['difference', 'difference']], (value) => {
      view = value;
      show();
    }),
    choice('Unit', 'unit', [['counts', 'images'], ['rates', '% of the true class']], (value) => {
      asRates = value === 'rates';
      show();
    }),
    box,
    el('div', {class: 'pair'},
      models.map((name) => table(`Most confused pairs of the ${name}`, heads, mostConfused(matrixOf(name))))),
    el('details', {}, el('summary', {}, 'Precision, recall and F1 of each class'),
      el('div', {class: 'pair'}, models.map((name) => reportTable(name, results[name])))));
}
