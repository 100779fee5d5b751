/** The states of a link as they come. */
import type { Link, LinkState } from "../../host/bridge/index.ts";

export class StateLog {
  readonly #states: LinkState["state"][] = [];
  #wake: () => void = () => undefined;

  constructor(link: Link) {
    link.onState(({ state }) => {
      this.#states.push(state);
      this.#wake();
    });
  }

  /** Resolves once the link has been in this state; states before it are passed over. */
  async next(wanted: LinkState["state"]): Promise<void> {
    for (;;) {
      const at = this.#states.indexOf(wanted);
      if (at >= 0) {
        this.#states.splice(0, at + 1);
        return;
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}
