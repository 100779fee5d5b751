/** A state and those who want to know when it changes. */
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
    for (const listener of [...this.#listeners]) listener(state);
  }

  /** Returns the removal. */
  onChange(listener: (state: State) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
