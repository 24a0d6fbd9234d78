'use strict';

// The report of one run: the verdict first, then the figures behind it.

const FINDINGS = {yes: 'Yes', no: 'No', 'not shown': 'This run does not show it'};

function verdictHeader(run) {
  const {verdict} = run.results;
  if (!run.results.mixture) {
    return el('header', {id: 'verdict'}, el('h1', {}, `${run.name}: report of a network`),
      el('p', {class: 'sentence'}, verdict.sentence));
  }
  const answer = (question, finding) => el('div', {}, el('dt', {}, question),
    el('dd', {class: finding.replace(' ', '_')}, FINDINGS[finding]));
  const {baseline, mixture, mixture_all_stages: stages} = run.results;
  const price = `${(mixture.parameters / baseline.parameters).toFixed(1)} times the parameters`
    + (baseline.seconds > 0 ? `, ${(stages.seconds / baseline.seconds).toFixed(1)} times the training time` : '');
  return el('header', {id: 'verdict'},
    el('h1', {}, `${run.name}: was the mixture of experts worth it?`),
    el('p', {class: 'sentence'}, verdict.sentence),
    el('dl', {class: 'answers'},
      answer('Has performance improved?', verdict.improved),
      answer(`Was it worth ${price}?`, verdict.worth_it)),
    Object.keys(verdict.controls).length === 0
      ? el('p', {class: 'soft'}, 'No controls were trained. `sluice train … --controls` also trains baselines of equal cost, with which a gain must be compared.')
      : null,
    verdict.dead_experts.map((group) => el('p', {class: 'warning'},
      `The gate rarely chooses the expert for ${group}. Does it know the group?`)));
}

/** Lists baseline, mixture and controls, with their costs. A run without groups has the baseline alone. */
function classifiers(results) {
  const {verdict} = results;
  const judged = (name, colourName, standing, cost) => ({
    name, colour: colourName, accuracy: standing.accuracy, interval: standing.accuracy_95, standing, cost,
  });
  return [
    judged('baseline', 'baseline', verdict.baseline, {...results.baseline, ...results.all_stages}),
    ...(results.mixture
      ? [judged('mixture', 'mixture', verdict.mixture, {...results.mixture, ...results.mixture_all_stages})] : []),
    ...Object.entries(verdict.controls).map(([name, control]) =>
      judged(control.words, 'control', control, results.controls[name])),
  ];
}

function differencesTable({verdict}) {
  const comparisons = [
    ['mixture', 'baseline', verdict.difference, 'only_mixture', 'only_baseline'],
    ...Object.entries(verdict.controls).flatMap(([name, control]) => [
      [control.words, 'baseline', control.over_baseline, `only_${name}`, 'only_baseline'],
      ['mixture', control.words, control.mixture_over_it, 'only_mixture', `only_${name}`]]),
  ];
  return table('Differences on the same images', ['', 'points', '95% interval', 'p (McNemar, exact)', 'only the first is right', 'only the second is right'],
    comparisons.map(([one, other, found, onlyOne, onlyOther]) => [`${one} against ${other}`,
      signed(found.accuracy), `${signed(found.accuracy_95[0])} to ${signed(found.accuracy_95[1])}`,
      pValue(found.p_value), whole(found[onlyOne]), whole(found[onlyOther])]));
}

function figuresSection(results) {
  const all = classifiers(results);
  const views = results.experiment?.views;
  const row = (title, value) => [title, ...all.map((each) => value(each))];
  const share = (value) => (value === undefined ? '–' : percent(value));  // runs of earlier versions lack some
  return section('figures', 'Accuracy and cost',
    accuracyChart(all),
    table('Test results and cost', ['', ...all.map((each) => each.name)], [
      row('Test accuracy', (each) => percent(each.accuracy)),
      row('95% interval', (each) => interval(each.interval)),
      row('Balanced accuracy', (each) => share(each.standing.balanced_accuracy)),
      row('Macro F1', (each) => decimals(each.standing.macro_f1)),
      row('Share of the largest class', (each) => share(each.standing.largest_class_share)),
      row('Log loss', (each) => decimals(each.standing.log_loss)),
      row('Calibration error (ECE)', (each) => decimals(each.standing.ece)),
      row('Parameters', (each) => whole(each.cost.parameters)),
      row('active per image', (each) => whole(each.cost.active_parameters)),
      row('MFLOP per image', (each) => mega(each.cost.active_flops_per_image)),
      ...(views && views !== 'one' ? [row('Views of each image, combined for the test', () => views)] : []),
      row('Latency of one image', (each) => (each.cost.latency_ms ? `${each.cost.latency_ms.toFixed(2)} ms` : '–')),
      ...(all.some((each) => each.cost.images_trained_on > 0) ? [  // not of an imported run
        row('Training time', (each) => duration(each.cost.seconds)),
        row('processor time', (each) => duration(each.cost.cpu_seconds)),
        row('Images trained on', (each) => whole(each.cost.images_trained_on)),
      ] : []),
    ]),
    results.mixture ? differencesTable(results) : null,
    results.mixture && el('p', {class: 'soft'}, 'Log loss and calibration use outputs divided by their sum. The baseline is the one before joint training. The mixture’s training figures include all stages, also the baseline’s.'));
}

function budgetSection(results) {
  const {verdict, seconds_by_part: seconds} = results;
  const budget = verdict.error_budget;
  const {all} = budget;
  const share = (count) => `${whole(count)} (${percent(count / all.images)})`;
  const time = Object.values(seconds).reduce((a, b) => a + b, 0);
  const own = (group) => (seconds[`expert-${group}`] ?? 0) + (seconds[`importance-${group}`] ?? 0);
  const groups = results.groups.map((group) => group.name);
  const rows = [['all', all], ...groups.map((name) => [name, budget.groups[name]]),
    ...results.data.class_names.map((name) => [name, budget.classes[name]])];
  return section('budget', 'Error budget of the mixture',
    el('p', {}, `${share(all.right)} of ${whole(all.images)} test images are right. For ${share(all.wrong_group)} the gate chose another group’s expert; `
      + `for ${share(all.overruled)} the expert was right, but the importance weights overruled it; for ${share(all.wrong_class)} the expert of the right group was wrong.`),
    el('p', {}, `With a perfect gate ${percent(all.right_with_perfect_gate / all.images)} would be right. With a perfect choice between expert and baseline for each image, ${percent(all.right_by_expert_or_baseline / all.images)} would be right.`),
    budgetChart(rows),
    table('Use of the experts', ['', 'images routed to it', 'share of images', 'share of time'],
      groups.map((group) => [`expert for ${group}`, whole(verdict.images_by_expert[group]),
        percent(verdict.images_by_expert[group] / all.images), time > 0 ? percent(own(group) / time) : '–'])));
}

function curvesSection(run) {
  const box = el('div', {class: 'pair'});
  const models = Object.keys(run.histories);
  if (models.length === 0) return null;
  const show = (model) => {
    for (let i = drawn.length - 1; i >= 0; --i) {
      if (box.contains(drawn[i].canvas)) drawn.splice(i, 1)[0].chart?.destroy();
    }
    const first = drawn.length;
    box.replaceChildren(curves(model, run.histories[model], 'loss'), curves(model, run.histories[model], 'accuracy'));
    if (box.isConnected) drawn.slice(first).forEach(draw);
  };
  return section('curves', 'Learning curves', choice('Model', 'model', models.map((model) => [model, model]), show), box,
    el('p', {class: 'soft'}, 'Training figures are means over an epoch, with dropout and changing weights; validation figures are measured at its end.'));
}

function calibrationSection({verdict}) {
  const judged = ['baseline', 'mixture'].filter((name) => verdict[name]);
  return section('calibration', 'Calibration',
    el('p', {}, `The expected calibration error is ${judged.map((name) => `${decimals(verdict[name].ece)} for the ${name}`).join(' and ')}.`),
    reliabilityChart(judged.map((name) => ({name, colour: name, bins: verdict[name].reliability.bins}))));
}

function modelsSection(run) {
  const {results} = run;
  const named = [...Object.entries(results.before ?? {}), ['baseline', results.baseline], ...results.groups.map(({name}) => [`expert-${name}`, results.experts[name]]),
    ['gate', results.gate], ['mixture', results.mixture]].filter(([, model]) => model);
  return section('models', 'Models',
    table('Each model on its own test images', ['', 'accuracy', 'loss', 'images', 'parameters', 'epochs', 'training', 'images/s in training'],
      named.map(([name, model]) => [name, percent(model.accuracy), decimals(model.loss), whole(model.test_images), whole(model.parameters),
        ...(model.images_trained_on > 0 ? [String(model.epochs), duration(model.seconds), whole(model.train_images_per_second)] : ['–', '–', '–'])])),
    Object.entries(run.summaries).map(([name, text]) => el('details', {}, el('summary', {}, `Summary of ${name}`), el('pre', {}, text))));
}

const imageShape = ([height, width, channels] = [32, 32, 3]) =>
  `${width} × ${height} pixels, ${channels === 1 ? 'grey' : 'colour'}`;

function settingSection(run) {
  const {results} = run;
  const {machine, versions, data} = results;
  const leftOut = Object.entries(data.left_out ?? {});
  const facts = [
    ['data', `${data.name}, ${data.train_images ? `${whole(data.train_images)} training and ` : ''}${whole(data.test_images)} test images`],
    ...(data.validation_images ? [['validation', `${whole(data.validation_images)} images`]] : []),
    ...(leftOut.length ? [['left out', leftOut.map(([kind, count]) => `${whole(count)} ${kind}`).join(', ')]] : []),
    ['images', imageShape(data.image_shape)],
    ['groups', results.groups.map((group) => `${group.name}: ${group.classes.join(', ')}`).join('; ') || 'none'],
    ['seed', String(results.seed)],
    ['machine', `${machine.cpu}, ${machine.cores} cores, ${machine.threads} threads, ${whole(machine.memory_bytes / 2 ** 30)} GiB`],
    ['system', machine.os],
    ['versions', `Sluice ${versions.sluice}, oneDNN ${versions.onednn}, ${versions.compiler}`],
    ['arithmetic', results.compute],
    ['whole run', `${duration(results.total_seconds)}, peak memory ${whole(results.peak_memory_bytes / 1e6)} MB`],
    ['finished', results.finished_at.replace('T', ' ').replace('Z', ' UTC')],
  ];
  return section('setting', 'Experiment and machine',
    el('div', {class: 'scroll'}, el('table', {}, el('tbody', {}, facts.map(([name, value]) => el('tr', {},
      el('th', {scope: 'row', class: 'text'}, name), el('td', {class: 'text'}, value)))))),
    el('details', {}, el('summary', {}, 'experiment.toml with all defaults'), el('pre', {}, run.experiment)));
}

function contents(sections) {
  return el('nav', {'aria-label': 'Contents'}, sections.map((each) => el('a', {href: `#${each.id}`}, each.querySelector('h2').textContent)));
}

function runPage(run) {
  const ofMixture = (made) => (run.results.mixture ? made(run) : null);
  const sections = [figuresSection(run.results), ofMixture(({results}) => budgetSection(results)),
    confusionSection(run.results), expertsSection(run.results), curvesSection(run), calibrationSection(run.results), mistakesSection(run), ofMixture(gallerySection),
    modelsSection(run), settingSection(run)].filter((each) => each !== null);
  return [verdictHeader(run), contents(sections), ...sections];
}
