// The heat map's rows and its chart. Pure.
import type { operations } from '@/generated/http'
import { heatOf } from './numbers'

export type Heat = operations['get_api_v1_figures_heat']['responses'][200]['content']['application/json']
export interface Grid {
  /** "" last, for appeals whose town is not known. */
  towns: string[]
  categories: { code: string; name: string }[]
  /** appeals[town][category] */
  appeals: number[][]
  rows: number[]
  columns: number[]
  most: number
  /** Appeals whose town is not known. */
  nowhere: number
  total: number
}

/** Towns with appeals, the most first and then what has none; categories with appeals, in their order. */
export function gridOf(heat: Heat): Grid {
  const at = new Map(heat.cells.map((cell) => [`${cell.town}\n${cell.category}`, cell.appeals]))
  const sum = (keep: (cell: Heat['cells'][number]) => boolean): number =>
    heat.cells.filter(keep).reduce((total, cell) => total + cell.appeals, 0)
  const nowhere = sum((cell) => !cell.town)
  const towns = heat.towns.filter((town) => town && heat.cells.some((cell) => cell.town === town))
    .sort((one, other) => sum((cell) => cell.town === other) - sum((cell) => cell.town === one))
  if (nowhere) towns.push('')
  const categories = heat.categories.filter((one) => heat.cells.some((cell) => cell.category === one.code))
    .map((one) => ({ code: one.code, name: one.name }))
  const appeals = towns.map((town) => categories.map((one) => at.get(`${town}\n${one.code}`) ?? 0))
  const rows = appeals.map((row) => row.reduce((total, n) => total + n, 0))
  return {
    towns, categories, appeals, rows, columns: categories.map((_, x) => appeals.reduce((total, row) => total + row[x]!, 0)),
    // How dark a cell is tells towns apart: what has none is no measure of them.
    most: Math.max(0, ...appeals.slice(0, nowhere ? -1 : undefined).flat()), nowhere, total: sum(() => true),
  }
}

/** The chart: towns downward, categories across, darker where more appeals are. */
export function chartOf(grid: Grid, unknown: { category: string; town: string }): Record<string, unknown> {
  const cells = grid.appeals.flatMap((row, y) => row.map((n, x) => [x, y, n, Math.min(1, heatOf(n, grid.most))]))
  return {
    animation: false,
    grid: { left: 84, right: 8, top: 64, bottom: 4 },
    xAxis: {
      type: 'category', position: 'top', data: grid.categories.map((one) => one.name || unknown.category),
      axisLabel: { rotate: 38, interval: 0, color: '#1b2733', fontSize: 12 }, axisTick: { show: false }, axisLine: { show: false },
    },
    yAxis: {
      type: 'category', inverse: true, data: grid.towns.map((town) => town || unknown.town), axisLabel: { interval: 0, color: '#1b2733', fontSize: 12 },
      axisTick: { show: false }, axisLine: { show: false },
    },
    tooltip: { renderMode: 'richText', formatter: (p: { data: number[] }) =>
      `${grid.towns[p.data[1]!] || unknown.town} · ${grid.categories[p.data[0]!]!.name || unknown.category}: ${p.data[2]}` },
    visualMap: {
      show: false, min: 0, max: 1, dimension: 3,
      inRange: { color: ['#f5f8fb', '#d6e6f5', '#9fc5e8', '#4f93cf', '#0b5cad', '#06305c'] },
    },
    series: [{
      type: 'heatmap', data: cells, itemStyle: { borderColor: '#fff', borderWidth: 2, borderRadius: 3 },
      label: {
        show: true, fontSize: 12, formatter: (p: { data: number[] }) => (p.data[2] ? `{${p.data[3]! > 0.55 ? 'l' : 'd'}|${p.data[2]}}` : ''),
        rich: { l: { color: '#fff', fontWeight: 600 }, d: { color: '#1b2733' } },
      },
      emphasis: { itemStyle: { borderColor: '#f0a020', borderWidth: 2 } },
    }],
  }
}
