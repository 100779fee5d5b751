/** Buses for the package `sakuraio`: to a module directly, and to one on a serial port. */
import type { EmulatedModule } from "../../emulator/module.ts";
import type { PlainDriver } from "./plain-driver.ts";
import type { AsyncBus, SyncBus } from "./sakuraio-package.ts";

/** Frames, as a bus with transactions carries them: what is read beyond the answer is 0. */
export function frameBus(module: EmulatedModule): SyncBus {
  let request: number[] = [];
  let answer: readonly number[] = [];
  let place = 0;
  return {
    startWriteSync() {
      request = [];
    },
    sendByteSync(byte) {
      request.push(byte);
    },
    endWriteSync() {
      answer = [...(module.handle(Uint8Array.from(request)) ?? [])];
    },
    startReadSync() {
      place = 0;
    },
    receiveByteSync: () => answer[place++] ?? 0,
    endReadSync: () => undefined,
  };
}

const ANSWER = "*CMD:";

/**
 * AT lines over a serial port. The client stops after an error status, and reads the parity after the end of its
 * reading; what it leaves of an answer is passed over before the next.
 */
export function atBus(driver: PlainDriver): AsyncBus {
  let line = "";
  const settle = (work: Promise<unknown>, done: (error?: Error | null) => void): void => {
    work.then(
      () => done(),
      (error: Error) => done(error),
    );
  };
  const findAnswer = async (): Promise<void> => {
    for (let seen = ""; seen !== ANSWER; ) seen = (seen + (await driver.read(1))).slice(-ANSWER.length);
  };
  return {
    startWrite(done) {
      line = "AT*CMD=";
      done();
    },
    sendByte(byte, done) {
      line += byte.toString(16).padStart(2, "0").toUpperCase();
      done();
    },
    endWrite: (done) => settle(driver.write(`${line}\n`), done),
    startRead: (done) => settle(findAnswer(), done),
    receiveByte(done) {
      driver.read(2).then(
        (digits) => done(null, Number.parseInt(digits, 16)),
        (error: Error) => done(error),
      );
    },
    endRead: (done) => done(),
  };
}
