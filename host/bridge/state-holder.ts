/** A state and those who want to know when it changes. */
import { tellAll } from "./tell-all.ts";

export class StateHolder<State> {
  #state: State;
  readonly #listeners = new Set<(state: State) => void>();

  constructor(initial: State) {
    this.#state = initial;
  }

  get current(): State {
    return this.#state;
  }

  set(state: State): void {
    this.#state = state;
    tellAll(this.#listeners, state);
  }

  /** Returns the removal. */
  onChange(listener: (state: State) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
