/** The client and the emulated module on a bad line, in virtual time: never a wrong answer, never a thing done twice. */
import { describe, expect, it } from "vitest";
import { attachUart } from "../../emulator/bus/uart.ts";
import { VirtualClock } from "../../emulator/clock.ts";
import { parseFaults } from "../../emulator/faults.ts";
import { EmulatedModule } from "../../emulator/module.ts";
import { SakuraModule } from "../../host/module.ts";
import { UartExchange } from "../../host/transport/uart.ts";
import { isSakuraError } from "../../protocol/errors.ts";
import { inTime } from "../support/client.ts";
import { linePair } from "../support/scripted-module.ts";

interface Bench {
  readonly clock: VirtualClock;
  readonly emulated: EmulatedModule;
  readonly module: SakuraModule;
}

async function bench(early: boolean): Promise<Bench> {
  const clock = new VirtualClock();
  const { host, module: end } = linePair();
  const emulated = new EmulatedModule({ clock, sendTimeMs: 0, txQueue: 255 });
  attachUart(emulated, end);
  const exchange = await inTime(clock, UartExchange.open(host, { clock, early }));
  return { clock, emulated, module: SakuraModule.over(exchange, { clock, timeoutMs: 200 }) };
}

const ROUNDS = 200;

/** What a module must bear, and how many of the rounds and of the values must go well all the same. */
describe.each([
  { spec: "flip=0.005,seed=1", early: false, rounds: 190, values: 175 },
  { spec: "flip=0.005,seed=2", early: true, rounds: 190, values: 175 },
  { spec: "flip=0.01,seed=3", early: false, rounds: 190, values: 140 },
  { spec: "drop=0.005,seed=4", early: false, rounds: 190, values: 165 },
  { spec: "drop=0.005,flip=0.005,busy=0.2,seed=5", early: true, rounds: 185, values: 150 },
  // Slower than the timeout: every answer comes late.
  { spec: "delay=350,seed=6", early: false, rounds: 200, values: 200 },
  { spec: "flip=0.002,busy=0.1,delay=150,seed=7", early: false, rounds: 185, values: 175 },
  { spec: "flip=0.005,drop=0.001,busy=0.1,delay=150,seed=1022", early: false, rounds: 170, values: 150 },
  { spec: "flip=0.002,drop=0.002,busy=0.1,delay=350,seed=8", early: true, rounds: 20, values: 70 },
])("on a line with $spec, early $early", ({ spec, early, rounds, values }) => {
  it("gives every answer to its own command", async () => {
    const { clock, emulated, module } = await bench(early);
    emulated.setFaults(parseFaults(spec));
    let answers = 0;
    const work = async (): Promise<void> => {
      for (let i = 0; i < ROUNDS; i++) {
        const bytes = Uint8Array.of(i & 0xff, i >> 8, 0x55);
        try {
          expect(await module.echoBack(bytes)).toEqual(bytes);
          expect(await module.getUniqueId()).toBe("16B0100260");
          expect(await module.getProductId()).toBe(2);
          answers++;
        } catch (error) {
          if (!isSakuraError(error)) throw error;
          expect(["NO_ANSWER", "DAMAGED_ANSWER", "MODULE_REFUSED"]).toContain(error.code);
        }
      }
    };
    await inTime(clock, work());
    expect(answers).toBeGreaterThanOrEqual(rounds);
    await module.close();
  });

  it("never does twice what is to be done once, and knows what it has done", async () => {
    const { clock, emulated, module } = await bench(early);
    emulated.setFaults(parseFaults(spec));
    let done = 0;
    const work = async (): Promise<void> => {
      for (let i = 0; i < ROUNDS; i++) {
        const before = emulated.state.enqueued;
        let outcome = "done";
        try {
          await module.txEnqueue({ channel: 1, type: "i", value: i });
          done++;
        } catch (error) {
          if (!isSakuraError(error)) throw error;
          outcome = error.code;
        }
        const times = emulated.state.enqueued - before;
        if (outcome === "done") expect(times).toBe(1);
        else if (outcome === "OUTCOME_UNKNOWN") expect([0, 1]).toContain(times);
        else expect(times).toBe(0);
        emulated.state.txQueue.length = 0;
      }
    };
    await inTime(clock, work());
    expect(done).toBeGreaterThanOrEqual(values);
    await module.close();
  });
});
