'use strict';
// Where nodes and edges go, from left to right: ranks by longest path, order within a rank by barycentres, as K. Sugiyama, S. Tagawa and
// M. Toda had it ("Methods for Visual Understanding of Hierarchical System Structures", 1981). Pure functions of the graph.

const box = { width: 164, height: 84, gapX: 94, gapY: 26, junction: 22 };

/// nodes: [{junction}], edges: [{from, to}]. Gives the middle of each node, and of each edge the points that it passes.
function layOut(nodes, edges) {
  const forward = withoutCycles(nodes.length, edges);
  const rank = rankAll(nodes.length, forward);
  const chart = withDummies(nodes, forward, rank);
  orderAll(chart);
  placeAll(chart);
  const x = columns(nodes, rank);
  const spots = nodes.map((node, n) => ({ x: x[rank[n]], y: chart.y[n], rank: rank[n] }));
  const routes = edges.map((edge, e) => {
    const inner = chart.chains[e].map(d => ({ x: x[chart.rank[d]], y: chart.y[d] }));
    if (forward[e].reversed) inner.reverse();
    return inner;
  });
  return { spots, routes };
}

/// Turns those edges round that lead back, as a walk in depth finds them.
function withoutCycles(count, edges) {
  const out = Array.from({ length: count }, () => []);
  edges.forEach((edge, e) => out[edge.from].push(e));
  const mark = new Uint8Array(count); // 1: on the way from the root, 2: done
  const result = edges.map(edge => ({ from: edge.from, to: edge.to, reversed: false }));
  const hasInput = new Uint8Array(count);
  for (const edge of edges) if (edge.from !== edge.to) hasInput[edge.to] = 1;
  const roots = [...Array(count).keys()].sort((a, b) => hasInput[a] - hasInput[b]);
  for (const root of roots) {
    if (mark[root]) continue;
    const way = [[root, 0]];
    mark[root] = 1;
    while (way.length) {
      const top = way[way.length - 1];
      if (top[1] === out[top[0]].length) {
        mark[top[0]] = 2;
        way.pop();
        continue;
      }
      const e = out[top[0]][top[1]++], to = edges[e].to;
      if (mark[to] === 1) result[e] = { from: to, to: edges[e].from, reversed: true };
      else if (mark[to] === 0) {
        mark[to] = 1;
        way.push([to, 0]);
      }
    }
  }
  return result;
}

function rankAll(count, edges) {
  const rank = new Int32Array(count), missing = new Int32Array(count);
  const out = Array.from({ length: count }, () => []);
  for (const edge of edges) {
    if (edge.from === edge.to) continue;
    out[edge.from].push(edge.to);
    ++missing[edge.to];
  }
  const sources = missing.map(n => n === 0 ? 1 : 0);
  const ready = [...Array(count).keys()].filter(n => missing[n] === 0);
  for (const n of ready) {
    for (const to of out[n]) {
      rank[to] = Math.max(rank[to], rank[n] + 1);
      if (--missing[to] === 0) ready.push(to);
    }
  }
  // A node without inputs goes next to whom it sends to.
  for (let n = 0; n < count; ++n) if (sources[n] && out[n].length) rank[n] = Math.min(...out[n].map(to => rank[to])) - 1;
  return rank;
}

/// Adds a node for each rank that an edge passes.
function withDummies(nodes, edges, rank) {
  const chart = { rank: [...rank], height: nodes.map(node => node.junction ? box.junction : box.height), left: [], right: [], layers: [], chains: [] };
  nodes.forEach(() => { chart.left.push([]); chart.right.push([]); });
  const link = (a, b) => { chart.right[a].push(b); chart.left[b].push(a); };
  for (const edge of edges) {
    const chain = [];
    let last = edge.from;
    for (let r = rank[edge.from] + 1; r < rank[edge.to]; ++r) {
      const d = chart.rank.push(r) - 1;
      chart.height.push(6);
      chart.left.push([]);
      chart.right.push([]);
      link(last, d);
      chain.push(last = d);
    }
    if (edge.from !== edge.to) link(last, edge.to);
    chart.chains.push(chain);
  }
  chart.rank.forEach((r, n) => (chart.layers[r] ||= []).push(n));
  chart.layers = chart.layers.map(layer => layer || []);
  return chart;
}

function crossings(chart, place) {
  let sum = 0;
  for (const layer of chart.layers) {
    const ends = layer.flatMap(n => chart.right[n].map(to => place[to]).sort((a, b) => a - b));
    const seen = []; // sorted: counts the pairs that are the wrong way round
    for (const end of ends) {
      let low = 0, high = seen.length;
      while (low < high) {
        const middle = (low + high) >> 1;
        if (seen[middle] <= end) low = middle + 1; else high = middle;
      }
      sum += seen.length - low;
      seen.splice(low, 0, end);
    }
  }
  return sum;
}

function orderAll(chart) {
  const place = new Float64Array(chart.rank.length);
  const number = layer => layer.forEach((n, i) => { place[n] = i; });
  chart.layers.forEach(number);
  let best = { crossings: crossings(chart, place), layers: chart.layers.map(layer => [...layer]) };
  for (let sweep = 0; sweep < 16 && best.crossings; ++sweep) {
    const down = sweep % 2 === 0;
    const layers = down ? chart.layers : [...chart.layers].reverse();
    for (const layer of layers) {
      const middle = new Map(layer.map(n => {
        const near = down ? chart.left[n] : chart.right[n];
        return [n, near.length ? near.reduce((sum, m) => sum + place[m], 0) / near.length : place[n]];
      }));
      layer.sort((a, b) => middle.get(a) - middle.get(b));
      number(layer);
    }
    const now = crossings(chart, place);
    if (now < best.crossings) best = { crossings: now, layers: chart.layers.map(layer => [...layer]) };
  }
  chart.layers = best.layers;
}

/// Gives each node the height of its neighbours, as far as the order and the gaps allow.
function placeAll(chart) {
  chart.y = new Float64Array(chart.rank.length);
  for (const layer of chart.layers) settle(chart, layer, layer.map((n, i) => (i - layer.length / 2) * (box.height + box.gapY)));
  for (let sweep = 0; sweep < 12; ++sweep) {
    const down = sweep % 2 === 0;
    for (const layer of down ? chart.layers : [...chart.layers].reverse()) {
      settle(chart, layer, layer.map(n => {
        const near = (down ? chart.left[n] : chart.right[n]).map(m => chart.y[m]).sort((a, b) => a - b);
        if (!near.length) return chart.y[n];
        const half = near.length >> 1;
        return near.length % 2 ? near[half] : (near[half - 1] + near[half]) / 2;
      }));
    }
  }
}

/// The places nearest to what is wished for, in this order, each clear of the one before: isotonic regression, by pooling adjacent violators.
function settle(chart, layer, wished) {
  const offset = [0];
  for (let i = 1; i < layer.length; ++i) offset.push(offset[i - 1] + (chart.height[layer[i - 1]] + chart.height[layer[i]]) / 2 + box.gapY);
  const pools = [];
  layer.forEach((n, i) => {
    let pool = { sum: wished[i] - offset[i], count: 1 };
    while (pools.length && pools[pools.length - 1].sum / pools[pools.length - 1].count >= pool.sum / pool.count) {
      const before = pools.pop();
      pool = { sum: before.sum + pool.sum, count: before.count + pool.count };
    }
    pools.push(pool);
  });
  let i = 0;
  for (const pool of pools) {
    for (const end = i + pool.count; i < end; ++i) chart.y[layer[i]] = pool.sum / pool.count + offset[i];
  }
}

/// A rank of junctions alone is narrow.
function columns(nodes, rank) {
  const most = nodes.length ? Math.max(...rank) : 0;
  const wide = new Uint8Array(most + 1);
  nodes.forEach((node, n) => { if (!node.junction) wide[rank[n]] = 1; });
  const x = [];
  let at = 0;
  for (let r = 0; r <= most; ++r) {
    const width = wide[r] ? box.width : box.junction;
    x.push(at + width / 2);
    at += width + (wide[r] && (r === most || wide[r + 1]) ? box.gapX : box.gapX * .62);
  }
  return x;
}
