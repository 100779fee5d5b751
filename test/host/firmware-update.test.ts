/** Firmware updates (§2): every result, silence, lost answers, stopping, and a port that goes, in virtual time. */
import { describe, expect, it } from "vitest";
import { refuse } from "../../emulator/behaviour.ts";
import { listenTcp } from "../../emulator/bus/tcp.ts";
import { attachUart } from "../../emulator/bus/uart.ts";
import { VirtualClock } from "../../emulator/clock.ts";
import { EmulatedModule } from "../../emulator/module.ts";
import type { UpdatePlan } from "../../emulator/state.ts";
import type { FirmwareUpdateProgress } from "../../host/firmware-update.ts";
import { missingFeatures } from "../../host/firmware-version.ts";
import { SakuraModule } from "../../host/module.ts";
import { UartExchange } from "../../host/transport/uart.ts";
import type { ByteDuplex } from "../../protocol/bus.ts";
import { inTime } from "../support/client.ts";
import { failsWith } from "../support/errors.ts";
import { linePair } from "../support/scripted-module.ts";

const OLD = "v1.4.3-000000-0000000";
const NEW = "v1.4.5-000000-0000000";

async function bench(update: Partial<UpdatePlan>) {
  const clock = new VirtualClock();
  const { host, module: end, lose } = linePair();
  const emulated = new EmulatedModule({ clock, firmware: OLD, update });
  attachUart(emulated, end);
  const exchange = await inTime(clock, UartExchange.open(host, { clock }));
  let started = 0;
  emulated.onFrame((request, answer) => {
    if (request[0] === 0xa9 && answer?.[0] === 0x01) started++;
  });
  return { clock, emulated, lose, module: SakuraModule.over(exchange, { clock }), starts: () => started };
}

describe("an update", () => {
  it.each([
    ["ok", NEW],
    ["already-up-to-date", OLD],
    ["version-check-failed", OLD],
    ["download-failed", OLD],
    ["verification-failed", OLD],
  ] as const)("that ends with %s says so, and leaves %s", async (outcome, after) => {
    const { clock, module, starts } = await bench({ outcome, durationMs: 60_000 });
    const phases = new Set<string>();
    const onProgress = ({ phase }: FirmwareUpdateProgress): void => void phases.add(phase);
    const done = await inTime(clock, module.runFirmwareUpdate({ onProgress }));
    expect(done).toMatchObject({ before: OLD, after, result: outcome });
    expect(Math.round(done.elapsedMs / 1000)).toBe(60);
    expect([...phases].slice(0, 2)).toEqual(["starting", "updating"]);
    expect(starts()).toBe(1);
  });

  it("may be silent all the time", async () => {
    const { clock, module } = await bench({ outcome: "ok", durationMs: 300_000, silent: true });
    const phases = new Set<string>();
    const done = await inTime(clock, module.runFirmwareUpdate({ onProgress: ({ phase }) => phases.add(phase) }), 500);
    expect(done).toMatchObject({ before: OLD, after: NEW, result: "ok" });
    expect([...phases].slice(0, 2)).toEqual(["starting", "silent"]);
  });

  it("whose answer is lost is followed, and not started again", async () => {
    const {
      clock,
      emulated,
      module,
      lose: _,
      starts,
    } = await bench({ outcome: "ok", durationMs: 60_000, silent: true });
    // The silence begins with the command, so that its answer is the last thing that could come, and does not.
    emulated.override("UPDATE_FIRMWARE", (_request, next) => {
      const answer = next();
      emulated.faults.damage = () => {
        Reflect.deleteProperty(emulated.faults, "damage");
        return new Uint8Array(0);
      };
      return answer;
    });
    expect(await inTime(clock, module.runFirmwareUpdate())).toMatchObject({ result: "ok", after: NEW });
    expect(starts()).toBe(1);
  });

  it("that runs already is followed", async () => {
    const { clock, module, starts } = await bench({ outcome: "ok", durationMs: 30_000 });
    await inTime(clock, module.unlock());
    await inTime(clock, module.updateFirmware());
    expect(await inTime(clock, module.runFirmwareUpdate())).toMatchObject({ before: OLD, after: NEW, result: "ok" });
    expect(starts()).toBe(1);
  });

  it("without a result in time leaves it open", async () => {
    const { clock, module } = await bench({ durationMs: 3_000_000, silent: true });
    const error = await inTime(clock, failsWith("TIMEOUT", module.runFirmwareUpdate({ timeoutMs: 20_000 })));
    expect(error.context).toMatchObject({ outcome: "unknown", before: OLD, timeoutMs: 20_000 });
    expect(error.message).toMatch(/leave it powered/);
  });

  it("goes on when the waiting for it is stopped, and says so", async () => {
    const { clock, emulated, module } = await bench({ outcome: "ok", durationMs: 60_000 });
    const abort = new AbortController();
    const onProgress = ({ phase }: FirmwareUpdateProgress): void => {
      if (phase === "updating") abort.abort();
    };
    const running = module.runFirmwareUpdate({ signal: abort.signal, onProgress });
    const error = await inTime(clock, failsWith("ABORTED", running));
    expect(error.context).toMatchObject({ outcome: "unknown", before: OLD });
    await clock.advance(60_000);
    expect(emulated.state.firmware).toBe(NEW);
  });

  it("that was not begun by then is not said to go on", async () => {
    const { clock, module } = await bench({});
    const error = await inTime(clock, failsWith("ABORTED", module.runFirmwareUpdate({ signal: AbortSignal.abort() })));
    expect(error.context).not.toHaveProperty("outcome");
  });

  it("ends with a port that is lost for good", async () => {
    const { clock, lose, module } = await bench({ durationMs: 60_000 });
    const running = module.runFirmwareUpdate({ onProgress: ({ phase }) => phase === "updating" && lose() });
    expect((await inTime(clock, failsWith("PORT_LOST", running))).context).toMatchObject({ outcome: "unknown" });
  });

  it("that the module refuses is an error", async () => {
    const { clock, emulated, module } = await bench({});
    emulated.override("UPDATE_FIRMWARE", () => refuse("RUNTIME"));
    const error = await inTime(clock, failsWith("MODULE_REFUSED", module.runFirmwareUpdate()));
    expect(error.context).toMatchObject({ command: "UPDATE_FIRMWARE", status: "RUNTIME" });
  });
});

describe("restart", () => {
  it("waits until the module is online again", async () => {
    const { clock, emulated, module } = await bench({});
    const { elapsedMs } = await inTime(clock, module.restart());
    expect(emulated.state.boots).toBe(1);
    expect(emulated.online).toBe(true);
    // The boot time, and up to one look more.
    expect(elapsedMs).toBeGreaterThanOrEqual(2000);
    expect(elapsedMs).toBeLessThan(2600);
  });

  it("says that the module answers, and is not online in time", async () => {
    const { clock, emulated, module } = await bench({});
    emulated.setOnline(false);
    const error = await inTime(clock, failsWith("TIMEOUT", module.restart({ timeoutMs: 10_000 })));
    expect(error.context).toEqual({ timeoutMs: 10_000, answers: true });
    expect(error.message).toMatch(/not online \(out-of-service-area\)/);
  });
});

describe("a firmware version", () => {
  it.each([
    ["v1.1.2-170223-7e6ce64", [{ feature: "power-save", since: "1.4.0" }]],
    ["v1.3.9", [{ feature: "power-save", since: "1.4.0" }]],
    ["v1.4.0", []],
    ["1.10.0", []],
    ["v2.0.0", []],
    ["something else", []],
  ])("%s lacks %o", (version, missing) => {
    expect(missingFeatures(version)).toEqual(missing);
  });
});

describe("over a port that goes and comes back", () => {
  it("an update is followed to its end", async () => {
    const emulated = new EmulatedModule({
      clock: new VirtualClock(),
      firmware: OLD,
      bootTimeMs: 20,
      update: { outcome: "ok", durationMs: 600_000 },
    });
    const attach = (duplex: ByteDuplex): void => void attachUart(emulated, duplex);
    let endpoint = await listenTcp({ host: "127.0.0.1", port: 0 });
    endpoint.onConnection(attach);
    const port = Number(endpoint.uri.split(":").at(-1));
    const module = await SakuraModule.open(endpoint.uri, { reopen: true });
    let gone: Promise<void> | undefined;
    const onProgress = ({ phase }: FirmwareUpdateProgress): void => {
      if (phase !== "updating" || gone !== undefined) return;
      gone = endpoint.close().then(async () => {
        // It ends while nobody can ask.
        emulated.state.update = { inProgress: false, result: "ok" };
        emulated.state.firmware = NEW;
        endpoint = await listenTcp({ host: "127.0.0.1", port });
        endpoint.onConnection(attach);
      });
    };
    const done = await module.runFirmwareUpdate({ pollMs: 20, onProgress });
    expect(done).toMatchObject({ before: OLD, after: NEW, result: "ok" });
    await gone;
    await module.close();
    await endpoint.close();
  });
});
