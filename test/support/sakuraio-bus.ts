/** Buses for the package `sakuraio`: I2C and SPI, byte by byte, and a serial port. */
import type { I2cTarget } from "../../emulator/bus/i2c.ts";
import type { SpiTarget } from "../../emulator/bus/spi.ts";
import type { PlainDriver } from "./plain-driver.ts";
import type { AsyncBus, SyncBus } from "./sakuraio-package.ts";

/** I2C as that client drives it: one transaction to write, one to read. */
export function i2cBus(target: I2cTarget): SyncBus {
  return {
    startWriteSync: () => void target.start("write"),
    sendByteSync: (byte) => void target.write(byte),
    endWriteSync: () => target.stop(),
    startReadSync: () => void target.start("read"),
    receiveByteSync: () => target.read(),
    endReadSync: () => target.stop(),
  };
}

/** SPI as a driver has it: chip select is low from the request's first byte to the end of the reading. */
export function spiBus(target: SpiTarget): SyncBus {
  return {
    startWriteSync() {
      // The client does not end its reading after an error status.
      target.deselect();
      target.select();
    },
    sendByteSync: (byte) => void target.exchange(byte),
    endWriteSync: () => undefined,
    startReadSync: () => undefined,
    receiveByteSync: () => target.exchange(0x00),
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
