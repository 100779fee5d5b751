/** `sakuraio module receive`: the values that came down, or those that come until it is stopped. */
import type { SakuraError } from "../../../protocol/errors.ts";
import type { PortState } from "../../connection.ts";
import { type ExitCode, printLine } from "../io.ts";
import { jsonLine } from "../json-line.ts";
import type { ModuleSession } from "./session.ts";
import { valueEvent, valueText } from "./text.ts";

export interface ReceiveVerbOptions {
  /** Until it is stopped; otherwise what is there now. */
  readonly follow: boolean;
  /** How long an empty queue is left alone, in ms. */
  readonly poll?: number | undefined;
}

export async function moduleReceive(options: ReceiveVerbOptions, session: ModuleSession): Promise<ExitCode> {
  return options.follow ? follow(options, session) : drain(session);
}

async function drain({ io, json, withModule }: ModuleSession): Promise<ExitCode> {
  const show = json ? valueEvent : valueText;
  return withModule(async (module) => {
    // No more than was there at the start, or a module that is fed fast would keep it here.
    const { queued } = await module.rxLength({ signal: io.signal });
    for (let i = 0; i < queued && !io.signal.aborted; i++) {
      // Without the signal: a value whose taking is given up may be lost.
      const value = await module.receive();
      if (!value) break;
      printLine(io.stdout, show(value));
    }
    if (queued === 0 && !json) printLine(io.stderr, "the RX queue is empty");
    return 0;
  });
}

async function follow({ poll }: ReceiveVerbOptions, { io, json, withModule }: ModuleSession): Promise<ExitCode> {
  const show = json ? valueEvent : valueText;
  const tell = (text: string): void => printLine(io.stderr, `sakuraio: ${text}`);
  return withModule(
    async (module) => {
      // A module that does not answer now is a mistake to correct; one that falls silent later may come back.
      await module.rxLength({ signal: io.signal });
      let last: string | undefined;
      const onTrouble = (error: SakuraError): void => {
        const repeated = error.code === last && error.code !== "OUTCOME_UNKNOWN";
        last = error.code;
        // A port that went away is told of by its state.
        if (!repeated && error.code !== "PORT_LOST") tell(troubleText(error));
        if (json && error.code === "OUTCOME_UNKNOWN") {
          printLine(io.stdout, jsonLine({ event: "warning", code: error.code, message: troubleText(error) }));
        }
      };
      const stopTelling = module.onState(portTeller(tell));
      try {
        for await (const value of module.received({ signal: io.signal, pollMs: poll, onTrouble })) {
          last = undefined;
          printLine(io.stdout, show(value));
        }
      } finally {
        stopTelling();
      }
      return 0;
    },
    { reopen: true },
  );
}

function troubleText(error: SakuraError): string {
  return error.code === "OUTCOME_UNKNOWN" ? `a value may be lost: ${error.message}` : error.message;
}

/** Says once that the port has gone, and once that it is back. */
export function portTeller(tell: (text: string) => void): (state: PortState) => void {
  let lost = false;
  return (state) => {
    if (state.kind === "lost" && !lost) tell(`${state.reason.message}; waiting for it to come back`);
    if (state.kind === "open" && lost) tell("the port is back");
    lost = state.kind === "lost";
  };
}
