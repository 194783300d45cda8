import type { NdArray } from "shardstream";

/** The smallest useful classifier: one weighted sum of all pixels for each class; the largest sum wins. */
export class SoftmaxClassifier {
  readonly #inputs: number;
  readonly #classes: number;
  /** The weights of each class, one class after the other; behind those of the pixels, one for what holds without them. */
  readonly #weights: Float64Array;
  readonly #scores: Float64Array;

  constructor(inputs: number, classes: number) {
    this.#inputs = inputs;
    this.#classes = classes;
    this.#weights = new Float64Array(classes * (inputs + 1));
    this.#scores = new Float64Array(classes);
  }

  /** Learns from a batch, image by image; the sum of the losses. */
  train({ data, length }: NdArray<"uint8">, labels: Float64Array, rate = 0.02): number {
    const [inputs, weights] = [this.#inputs, this.#weights];
    let loss = 0;
    for (let row = 0; row < length; row++) {
      const from = row * inputs;
      const chances = this.#chances(data, from);
      const label = labels[row]!;
      loss -= Math.log(Math.max(chances[label]!, 1e-12));
      for (let k = 0; k < chances.length; k++) {
        const step = rate * ((k === label ? 1 : 0) - chances[k]!);
        const first = k * (inputs + 1);
        for (let i = 0; i < inputs; i++) weights[first + i]! += (step * data[from + i]!) / 255;
        weights[first + inputs]! += step;
      }
    }
    return loss;
  }

  /** The most likely class of each image. */
  predict({ data, length }: NdArray<"uint8">): Uint8Array {
    return Uint8Array.from({ length }, (_, row) => {
      const chances = this.#chances(data, row * this.#inputs);
      return chances.indexOf(Math.max(...chances));
    });
  }

  /** How likely each class is for the image that begins at `from`. */
  #chances(data: Uint8Array, from: number): Float64Array {
    const [inputs, weights, scores] = [this.#inputs, this.#weights, this.#scores];
    for (let k = 0; k < this.#classes; k++) {
      const first = k * (inputs + 1);
      let score = weights[first + inputs]!;
      for (let i = 0; i < inputs; i++) score += (weights[first + i]! * data[from + i]!) / 255;
      scores[k] = score;
    }
    const largest = Math.max(...scores);
    let sum = 0;
    for (let k = 0; k < scores.length; k++) sum += scores[k] = Math.exp(scores[k]! - largest);
    for (let k = 0; k < scores.length; k++) scores[k]! /= sum;
    return scores;
  }
}
