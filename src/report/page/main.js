'use strict';

// Fills the page: one run, a comparison of runs, a frontier, or the explanation of one image.

function explanationPage(explanation) {
  return [
    el('header', {id: 'verdict'}, el('h1', {}, explanation.name),
      el('p', {class: 'sentence'}, `The gate chooses the expert for ${explanation.group_names[explanation.group]}.`)),
    el('div', {class: 'alone'}, card(explanation, explanation.class_names, explanation.group_names)),
  ];
}

const {runs, explanation, frontier} = JSON.parse(document.getElementById('data').textContent);

function pageParts() {
  if (explanation) return [explanationPage(explanation), 'Made by Sluice.'];
  if (frontier) return [frontierPage(frontier), 'Made by Sluice; frontier.json beside this page has all figures.'];
  return [runs.length === 1 ? runPage(runs[0]) : comparisonPage(runs),
    'Made by Sluice from results.json and predictions.csv in the run’s folder.'];
}

const [parts, source] = pageParts();
document.getElementById('main').replaceChildren(...parts, el('footer', {}, source));
drawn.forEach(draw);
