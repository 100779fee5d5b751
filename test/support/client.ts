/** A module's client at a scripted module, in virtual time. */
import { VirtualClock } from "../../emulator/clock.ts";
import { type ModuleOptions, SakuraModule } from "../../host/module.ts";
import { UartExchange } from "../../host/transport/uart.ts";
import { type Script, ScriptedModule } from "./scripted-module.ts";

export interface Client {
  readonly clock: VirtualClock;
  readonly scripted: ScriptedModule;
  readonly uart: UartExchange;
  readonly module: SakuraModule;
}

export async function clientOf(script?: Script, options: ModuleOptions = {}): Promise<Client> {
  const scripted = new ScriptedModule(script);
  const clock = new VirtualClock();
  const opening = UartExchange.open(scripted.host, { clock });
  await clock.advance(25);
  const uart = await opening;
  scripted.lines.length = 0;
  return { clock, scripted, uart, module: SakuraModule.over(uart, { clock, ...options }) };
}

/** Lets virtual time pass until the work has ended, an hour of it at most. */
export async function inTime<T>(clock: VirtualClock, work: Promise<T>, stepMs = 10): Promise<T> {
  let ended = false;
  const end = (): void => {
    ended = true;
  };
  work.then(end, end);
  for (let ms = 0; !ended && ms < 3_600_000; ms += stepMs) await clock.advance(stepMs);
  if (!ended) throw new Error("it has not ended after an hour");
  return work;
}

/** A script that gives these answers in turn, and then the last one again and again. */
export function inTurn(...answers: readonly (string | undefined)[]): Script {
  let next = 0;
  return () => answers[Math.min(next++, answers.length - 1)];
}

export const OK_ANSWER = "*CMD:010001\r\nOK\r\n";
export const BUSY_ANSWER = "*CMD:070007\r\nOK\r\n";
export const PARITY_ANSWER = "*CMD:020002\r\nOK\r\n";
export const SYNTAX_ANSWER = "*CMD:040004\r\nOK\r\n";
export const RUNTIME_ANSWER = "*CMD:050005\r\nOK\r\n";
export const SIGNAL_ANSWER = "*CMD:01010505\r\nOK\r\n";
