'use strict';

// Fills the page: one run, a comparison of runs, or the explanation of one image.

function explanationPage(explanation) {
  return [
    el('header', {id: 'verdict'}, el('h1', {}, explanation.name),
      el('p', {class: 'sentence'}, `The gate chooses the expert for ${explanation.group_names[explanation.group]}.`)),
    el('div', {class: 'alone'}, card(explanation, explanation.class_names, explanation.group_names)),
  ];
}

const {runs, explanation} = JSON.parse(document.getElementById('data').textContent);
document.getElementById('main').replaceChildren(
  ...(explanation ? explanationPage(explanation) : runs.length === 1 ? runPage(runs[0]) : comparisonPage(runs)),
  el('footer', {}, explanation ? 'Made by Sluice.'
    : 'Made by Sluice from results.json and predictions.csv in the run’s folder.'));
drawn.forEach(draw);
