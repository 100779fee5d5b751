/** Values sent on a line that loses answers: the queue's length tells what arrived, or the error says that nobody knows. */
import { describe, expect, it } from "vitest";
import { attachUart } from "../../emulator/bus/uart.ts";
import { VirtualClock } from "../../emulator/clock.ts";
import { EmulatedModule } from "../../emulator/module.ts";
import { MessageLog } from "../../emulator/uplink.ts";
import { SakuraModule } from "../../host/module.ts";
import { UartExchange } from "../../host/transport/uart.ts";
import { inTime } from "../support/client.ts";
import { failsWith } from "../support/errors.ts";
import { linePair } from "../support/scripted-module.ts";

async function bench(txQueue = 32) {
  const clock = new VirtualClock();
  const { host, module: end, lose } = linePair();
  const log = new MessageLog(clock);
  const emulated = new EmulatedModule({ clock, uplink: log, txQueue });
  let deaf = false;
  // Loses the answers to a command, and then hears no more of it.
  const loseAnswers = (times: number, code: number): void => {
    emulated.onFrame((request) => {
      deaf = request[0] === code && times-- > 0;
    });
  };
  attachUart(emulated, {
    ...end,
    name: "deaf",
    onBytes: (l) => end.onBytes(l),
    onClose: (l) => end.onClose(l),
    close: () => end.close(),
    write: (bytes) => {
      if (!deaf) end.write(bytes);
      deaf = false;
    },
  });
  const exchange = await inTime(clock, UartExchange.open(host, { clock }));
  const arrived = (): unknown[] =>
    log.messages.flatMap((one) => (one.type === "channels" ? one.payload.channels.map(({ value }) => value) : []));
  return {
    clock,
    emulated,
    lose,
    loseAnswers,
    arrived,
    module: SakuraModule.over(exchange, { clock, timeoutMs: 100 }),
  };
}

const values = (...numbers: number[]) => numbers.map((value) => ({ channel: 1, type: "i", value }) as const);

describe("send", () => {
  it("finds out that a value arrived whose answer was lost", async () => {
    const { clock, module, arrived, loseAnswers } = await bench();
    loseAnswers(2, 0x20);
    await inTime(clock, module.send(values(1, 2, 3)));
    expect(arrived()).toEqual([1, 2, 3]);
  });

  it("puts a value in again that did not arrive", async () => {
    const { clock, emulated, module, arrived, loseAnswers } = await bench();
    loseAnswers(1, 0x20);
    const undo = emulated.override("TX_ENQUEUE", () => {
      undo();
      return undefined;
    });
    await inTime(clock, module.send(values(1, 2, 3)));
    expect(arrived()).toEqual([1, 2, 3]);
  });

  it("says that nobody knows when the module has restarted meanwhile", async () => {
    const { clock, emulated, module, loseAnswers } = await bench();
    loseAnswers(3, 0x20);
    const undo = emulated.override("TX_ENQUEUE", (_request, next) => {
      if (emulated.state.txQueue.length < 2) return next();
      undo();
      emulated.restart();
      return undefined;
    });
    const error = await inTime(clock, failsWith("OUTCOME_UNKNOWN", module.send(values(1, 2, 3))));
    expect(error.context).toMatchObject({ of: 3, put: 2, sent: 0, outcome: "unknown" });
    expect(error.message).toMatch(/has the module restarted/);
  });

  it("notices that a restart has taken what it had put", async () => {
    const { clock, emulated, module } = await bench();
    emulated.override("TX_ENQUEUE", (_request, next) => {
      const answer = next();
      if (emulated.state.txQueue.length === 3) emulated.restart();
      return answer;
    });
    const error = await inTime(clock, failsWith("OUTCOME_UNKNOWN", module.send(values(1, 2, 3))));
    expect(error.context).toMatchObject({ missing: 3, put: 3, sent: 0, outcome: "unknown" });
  });

  it("does not reckon with a queue that another caller of the same client changes", async () => {
    const { clock, emulated, module, loseAnswers } = await bench();
    loseAnswers(1, 0x20);
    const undo = emulated.override("TX_ENQUEUE", (_request, next) => {
      undo();
      void module.txEnqueue({ channel: 2, type: "i", value: 9 });
      return next();
    });
    const error = await inTime(clock, failsWith("OUTCOME_UNKNOWN", module.send(values(1))));
    expect(error.message).toMatch(/something else used the TX queue/);
  });

  it("sends a full queue to make room, and says how much of it is sent when it fails then", async () => {
    const { clock, emulated, module, arrived } = await bench(4);
    await inTime(clock, module.send(values(1, 2, 3, 4, 5, 6)));
    expect(arrived()).toEqual([1, 2, 3, 4, 5, 6]);
    emulated.override("TX_ENQUEUE", (_request, next) => {
      if (emulated.state.enqueued === 11) emulated.setOnline(false);
      return next();
    });
    const error = await inTime(clock, failsWith("MODULE_REFUSED", module.send(values(1, 2, 3, 4, 5, 6))));
    expect(error.context).toMatchObject({ of: 6, put: 6, sent: 4 });
    expect(error.context).not.toHaveProperty("outcome");
  });

  it("does not know whether values went when the port is lost after TX_SEND", async () => {
    const { clock, emulated, lose, module } = await bench();
    emulated.override("TX_STAT", (_request, next) => {
      if (emulated.state.txState === "sending") lose();
      return next();
    });
    const error = await inTime(clock, failsWith("PORT_LOST", module.send(values(1, 2))));
    expect(error.context).toMatchObject({ of: 2, put: 2, sent: 0, outcome: "unknown" });
    expect(error.message).toMatch(/may or may not have been sent/);
  });

  it("immediately: seen under way, it is known to have begun", async () => {
    const { clock, emulated, module, arrived, loseAnswers } = await bench();
    emulated.state.sendTimeMs = 5000;
    loseAnswers(1, 0x21);
    await inTime(clock, module.send(values(1, 2), { immediate: true }));
    expect(arrived()).toEqual([1, 2]);
    emulated.state.sendTimeMs = 0;
    loseAnswers(1, 0x21);
    await inTime(clock, failsWith("OUTCOME_UNKNOWN", module.send(values(3), { immediate: true })));
  });

  it("refuses nothing, and more than a message holds", async () => {
    const { module } = await bench();
    await failsWith("INVALID_ARGUMENT", module.send([]));
    await failsWith("INVALID_ARGUMENT", module.send(values(...Array(17).keys()), { immediate: true }));
  });
});

describe("enqueue", () => {
  it("gives how many are in the queue, and their time with the offset", async () => {
    const { clock, emulated, module } = await bench();
    const entry = { channel: 1, type: "i", value: 1, offset: -1000n } as const;
    expect(await inTime(clock, module.enqueue([entry]))).toEqual({ queued: 1 });
    expect(emulated.state.txQueue).toHaveLength(1);
  });

  it("says how many the full queue took", async () => {
    const { clock, module } = await bench(4);
    const error = await inTime(clock, failsWith("MODULE_REFUSED", module.enqueue(values(1, 2, 3, 4, 5))));
    expect(error.context).toMatchObject({ status: "RUNTIME", of: 5, put: 4 });
  });
});
