/** A port that goes and comes back, in virtual time. */
import { describe, expect, it } from "vitest";
import { VirtualClock } from "../../emulator/clock.ts";
import { Connection, type PortState } from "../../host/connection.ts";
import type { FrameExchange } from "../../host/transport/exchange.ts";
import { SakuraError } from "../../protocol/errors.ts";
import { failsWith } from "../support/errors.ts";

class FakePort implements FrameExchange {
  readonly name = "a port";
  readonly noisy = true;
  suspect = false;
  closed = false;
  #listener: (reason: SakuraError | undefined) => void = () => undefined;

  lose(): void {
    this.#listener(new SakuraError("PORT_LOST", "the cable was pulled"));
  }
  exchange(): Promise<Uint8Array> {
    return Promise.resolve(Uint8Array.of(0x01, 0x00, 0x01));
  }
  resync() {
    return Promise.resolve({ late: undefined, unreadable: false });
  }
  onFrame() {
    return () => undefined;
  }
  onStray() {
    return () => undefined;
  }
  onClose(listener: (reason: SakuraError | undefined) => void) {
    this.#listener = listener;
    return () => undefined;
  }
  close(): Promise<void> {
    this.closed = true;
    return Promise.resolve();
  }
}

function bench(reopen: (attempt: number, signal: AbortSignal) => Promise<FakePort>) {
  const clock = new VirtualClock();
  const start = clock.now();
  const attempts: number[] = [];
  const states: PortState[] = [];
  const port = new FakePort();
  const connection = new Connection(port, {
    clock,
    reopen: (signal) => {
      attempts.push(clock.now() - start);
      return reopen(attempts.length, signal);
    },
  });
  connection.onState((state) => states.push(state));
  return { clock, start, attempts, states, port, connection };
}

const notThere = () => Promise.reject(new SakuraError("PORT_NOT_FOUND", "there is no such port"));

describe("a lost port", () => {
  it("is opened again ever less often, and at first again after it was back", async () => {
    const back = new FakePort();
    const { clock, start, attempts, states, port, connection } = bench((n) =>
      n === 7 ? Promise.resolve(back) : notThere(),
    );
    port.lose();
    expect(connection.state).toMatchObject({ kind: "lost", nextAttempt: start + 200 });
    await clock.advance(9000);
    expect(attempts).toEqual([200, 600, 1400, 3000, 5000, 7000, 9000]);
    expect(connection.state).toEqual({ kind: "open" });
    expect(connection.exchange).toBe(back);
    back.lose();
    await clock.advance(200);
    expect(attempts.at(-1)).toBe(9200);
    expect(states.map(({ kind }) => kind).filter((kind) => kind !== "lost")).toEqual(["open"]);
    await connection.close();
    expect(clock.pending).toBe(0);
  });

  it("tells why it is not back yet, and when it is tried again", async () => {
    const { clock, start, connection, port } = bench(notThere);
    port.lose();
    await clock.advance(200);
    const { state } = connection;
    expect(state).toMatchObject({ kind: "lost", nextAttempt: start + 600 });
    expect(state.kind === "lost" && state.reason).toMatchObject({
      code: "PORT_LOST",
      message: "a port went away and is not back: there is no such port",
    });
    await connection.close();
  });

  it("is waited for, as long as one likes", async () => {
    const { clock, connection, port } = bench((n) => (n < 3 ? notThere() : Promise.resolve(new FakePort())));
    port.lose();
    const patient = connection.whenOpen({});
    const impatient = failsWith("PORT_LOST", connection.whenOpen({ timeoutMs: 1000 }));
    const abort = new AbortController();
    const aborted = failsWith("ABORTED", connection.whenOpen({ signal: abort.signal }));
    abort.abort();
    await aborted;
    await clock.advance(1000);
    await impatient;
    await clock.advance(400);
    expect(await patient).toBe(connection.exchange);
    await connection.close();
  });

  it("is waited for until close, and not opened any more", async () => {
    const { clock, attempts, connection, port } = bench(notThere);
    port.lose();
    const waiting = failsWith("CLOSED", connection.whenOpen({ timeoutMs: 10_000 }));
    await connection.close();
    await waiting;
    await failsWith("CLOSED", connection.whenOpen({}));
    await clock.advance(10_000);
    expect(attempts).toEqual([]);
    expect(clock.pending).toBe(0);
  });

  it("that opens after all when nobody wants it is closed again", async () => {
    const back = new FakePort();
    let open = (): void => undefined;
    let given: AbortSignal | undefined;
    const { clock, connection, port } = bench((_n, signal) => {
      given = signal;
      return new Promise((resolve) => {
        open = () => resolve(back);
      });
    });
    port.lose();
    await clock.advance(200);
    expect(given?.aborted).toBe(false);
    await connection.close();
    expect(given?.aborted).toBe(true);
    open();
    await clock.advance(0);
    expect(back.closed).toBe(true);
    expect(connection.state).toEqual({ kind: "closed" });
  });
});

describe("a port that is not opened again", () => {
  it("stays lost", async () => {
    const clock = new VirtualClock();
    const port = new FakePort();
    const connection = new Connection(port, { clock });
    port.lose();
    expect(connection.state).toMatchObject({ kind: "lost", nextAttempt: undefined });
    await failsWith("PORT_LOST", connection.whenOpen({}));
    expect(clock.pending).toBe(0);
    await connection.close();
    expect(connection.state).toEqual({ kind: "closed" });
  });
});
