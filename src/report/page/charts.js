'use strict';

// Charts by Chart.js, each with a table of the same numbers.

const drawn = [];  // {canvas, configure, chart}, kept to redraw in other colours

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

function draw(entry) {
  entry.chart?.destroy();
  Chart.defaults.color = colour('soft');
  Chart.defaults.borderColor = colour('line');
  Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
  Chart.defaults.animation = false;
  Chart.defaults.maintainAspectRatio = false;
  entry.chart = new Chart(entry.canvas, entry.configure());
}

function redraw() {
  drawn.forEach(draw);
}

matchMedia('(prefers-color-scheme: dark)').addEventListener('change', redraw);
addEventListener('beforeprint', () => {
  document.documentElement.classList.add('printed');
  redraw();
});
addEventListener('afterprint', () => {
  document.documentElement.classList.remove('printed');
  redraw();
});

/** Makes a chart in a box; screen readers read `label`. Call draw() when the box is on the page. */
function chart(label, configure, numbers, height) {
  const canvas = el('canvas', {role: 'img', 'aria-label': label});
  drawn.push({canvas, configure});
  return el('figure', {style: 'margin: 0'},
    el('div', {class: 'chart', style: height ? `height: ${height}px` : undefined}, canvas),
    el('details', {class: 'numbers'}, el('summary', {}, 'Data as a table'), numbers));
}

/** Breaks a text at blanks into lines of about `width` letters. */
function inLines(text, width) {
  const lines = [''];
  for (const word of text.split(' ')) {
    const last = lines[lines.length - 1];
    if (last && last.length + word.length >= width) lines.push(word);
    else lines[lines.length - 1] = last ? `${last} ${word}` : word;
  }
  return lines;
}

/** Shows accuracies as points and their 95% intervals as bars. */
function accuracyChart(classifiers) {
  const label = `Test accuracy with 95% intervals: ${classifiers
    .map((each) => `${each.name} ${percent(each.accuracy)}`).join(', ')}.`;
  return chart(label, () => ({
    data: {
      labels: classifiers.map((each) => each.name),
      datasets: [
        {
          type: 'scatter', pointRadius: 6, pointHoverRadius: 7,
          data: classifiers.map((each, i) => ({x: 100 * each.accuracy, y: each.name})),
          backgroundColor: classifiers.map((each) => colour(each.colour)),
        },
        {
          type: 'bar', indexAxis: 'y', barThickness: 4,
          data: classifiers.map((each) => each.interval.map((edge) => 100 * edge)),
          backgroundColor: classifiers.map((each) => colour(each.colour)),
        },
      ],
    },
    options: {
      indexAxis: 'y',
      scales: {
        x: {type: 'linear', beginAtZero: false, title: {display: true, text: 'test accuracy in %, with its 95% interval'}},
        y: {type: 'category', labels: classifiers.map((each) => each.name), offset: true, grid: {display: false},
          ticks: {autoSkip: false, callback(index) {
            const {name} = classifiers[index];
            return this.chart.width < 500 ? inLines(name, 16) : name;
          }}},
      },
      plugins: {
        legend: {display: false},
        tooltip: {callbacks: {
          title: (items) => classifiers[items[0].dataIndex].name,
          label: (item) => {
            const each = classifiers[item.dataIndex];
            return `${percent(each.accuracy)}, 95% interval ${interval(each.interval)}`;
          },
        }},
      },
    },
  }), table('Test accuracy', ['', 'accuracy', '95% interval'],
    classifiers.map((each) => [each.name, percent(each.accuracy), interval(each.interval)])),
  70 + 44 * classifiers.length);
}

/** Shows `what` ("loss" or "accuracy") and its "val_" column over epochs. */
function curves(model, history, what) {
  const lines = [['training', what, 'baseline'], ['validation', `val_${what}`, 'mixture']];
  return chart(`${what} of ${model} over ${history.epoch.length} epochs`, () => ({
    type: 'line',
    data: {
      labels: history.epoch,
      datasets: lines.map(([label, column, of]) => ({
        label, data: history[column], borderColor: colour(of), backgroundColor: colour(of),
        borderWidth: 2, pointRadius: history.epoch.length > 30 ? 0 : 2.5, tension: 0,
      })),
    },
    options: {
      interaction: {mode: 'index', intersect: false},
      scales: {x: {title: {display: true, text: 'epoch'}}, y: {title: {display: true, text: what}}},
      plugins: {legend: {labels: {boxHeight: 2, boxWidth: 24}}},
    },
  }), table(`${what} of ${model}`, ['epoch', ...lines.map(([label]) => label)],
    history.epoch.map((epoch, i) => [String(epoch), ...lines.map(([, column]) => decimals(history[column][i], 4))]), []));
}

/** Shows the error budget of each class and group, in percent of its images. */
function budgetChart(rows) {
  const parts = [['right', 'right', 'right'], ['wrong group', 'wrong_group', 'gate'],
    ['overruled', 'overruled', 'overruled'], ['wrong class', 'wrong_class', 'expert']];
  const share = (budget, key) => (budget.images > 0 ? 100 * budget[key] / budget.images : 0);
  return chart('Error budget of each class and group', () => ({
    type: 'bar',
    data: {
      labels: rows.map(([name]) => name),
      datasets: parts.map(([label, key, of]) => ({
        label, data: rows.map(([, budget]) => share(budget, key)), backgroundColor: colour(of), barPercentage: 0.8,
      })),
    },
    options: {
      indexAxis: 'y',
      scales: {x: {stacked: true, max: 100, title: {display: true, text: '% of the test images'}},
        y: {stacked: true, grid: {display: false}, ticks: {autoSkip: false}}},
      plugins: {
        legend: {labels: {boxWidth: 14}},
        tooltip: {callbacks: {label: (item) => {
          const budget = rows[item.dataIndex][1];
          const [label, key] = parts[item.datasetIndex];
          return `${label}: ${budget[key]} of ${budget.images} (${item.parsed.x.toFixed(1)}%)`;
        }}},
      },
    },
  }), table('Error budget of each class and group',
    ['', 'images', ...parts.map(([label]) => label), 'right with a perfect gate', 'right by the better of expert and baseline'],
    rows.map(([name, budget]) => [name, whole(budget.images), ...parts.map(([, key]) => whole(budget[key])),
      whole(budget.right_with_perfect_gate), whole(budget.right_by_expert_or_baseline)])),
  60 + 26 * rows.length);
}

/** Shows accuracy by confidence; a calibrated model is on the diagonal. */
function reliabilityChart(models) {
  return chart('Reliability diagram: accuracy by confidence', () => ({
    type: 'scatter',
    data: {datasets: [
      ...models.map((model) => ({
        label: model.name, backgroundColor: colour(model.colour), borderColor: colour(model.colour),
        showLine: true, borderWidth: 2, pointRadius: 3,
        data: model.bins.filter(([images]) => images > 0).map(([images, x, y]) => ({x, y, images})),
      })),
      {label: 'perfect calibration', data: [{x: 0, y: 0}, {x: 1, y: 1}], showLine: true, pointRadius: 0,
        borderDash: [4, 4], borderWidth: 1, borderColor: colour('soft')},
    ]},
    options: {
      scales: {x: {min: 0, max: 1, title: {display: true, text: 'confidence'}},
        y: {min: 0, max: 1, title: {display: true, text: 'accuracy'}}},
      plugins: {
        legend: {labels: {boxHeight: 2, boxWidth: 24}},
        tooltip: {callbacks: {label: (item) => (item.raw.images
          ? `${item.dataset.label}: ${item.raw.images} images, confidence ${percent(item.raw.x)}, accuracy ${percent(item.raw.y)}`
          : '')}},
      },
    },
  }), models.map((model) => table(model.name, ['confidence', 'images', 'accuracy'],
    model.bins.filter(([images]) => images > 0).map(([images, x, y]) => [percent(x), whole(images), percent(y)]), [])));
}
