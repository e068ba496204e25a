import type { JsonObject } from '../../model/json.ts'

interface Series {
  count: number
  sum: number
  min: number
  max: number
  /** Welford's running mean and sum of squared differences: stable, and no sample is kept. */
  mean: number
  squares: number
}

/** The name of a step; false for one that is not taken. */
export type Metric = string | false

/** How long the steps of a run took, in milliseconds (engine §7.7, `durationSummary`). */
export class Durations {
  readonly #series = new Map<string, Series>()

  /** Under each of the names where the work is several things in one. */
  async time<T>(metrics: string | readonly Metric[], work: () => Promise<T>): Promise<T> {
    const start = performance.now()
    try {
      return await work()
    } finally {
      for (const metric of typeof metrics === 'string' ? [metrics] : metrics)
        if (metric) this.add(metric, performance.now() - start)
    }
  }

  add(metric: string, milliseconds: number): void {
    const none = { count: 0, sum: 0, min: Infinity, max: 0, mean: 0, squares: 0 }
    const series = this.#series.get(metric) ?? none
    this.#series.set(metric, series)
    series.count++
    series.sum += milliseconds
    series.min = Math.min(series.min, milliseconds)
    series.max = Math.max(series.max, milliseconds)
    const distance = milliseconds - series.mean
    series.mean += distance / series.count
    series.squares += distance * (milliseconds - series.mean)
  }

  toJSON(): JsonObject {
    return Object.fromEntries([...this.#series].map(([metric, series]) => [metric, summary(series)]))
  }
}

function summary({ count, sum, min, max, mean, squares }: Series): JsonObject {
  const rounded = (value: number) => Math.round(value * 100) / 100
  return {
    count,
    sum: rounded(sum),
    min: rounded(min),
    max: rounded(max),
    mean: rounded(mean),
    stdDev: rounded(Math.sqrt(squares / count)),
  }
}
