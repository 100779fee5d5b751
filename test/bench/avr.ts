/**
 * Firmware in the loop against bare avr8js, on the same program: the example firmware for I2C, and one that talks all
 * the time. Bare is avr8js as its users run it: its CPU, its peripherals, and on its TWI a handler that acknowledges
 * everything, takes the bits' time, and plays back the answers that the module gave.
 */
import { readFileSync } from "node:fs";
import {
  AVRADC,
  AVRClock,
  AVREEPROM,
  AVRIOPort,
  AVRSPI,
  AVRTimer,
  AVRTWI,
  AVRUSART,
  AVRWatchdog,
  adcConfig,
  avrInstruction,
  CPU,
  EEPROMMemoryBackend,
  portBConfig,
  portCConfig,
  portDConfig,
  spiConfig,
  timer0Config,
  timer1Config,
  timer2Config,
  twiConfig,
  usart0Config,
  watchdogConfig,
} from "avr8js";
import { parseIntelHex, runFirmware } from "sakuraio-kit/avr";
import { ratioOf, spreadOf, takeTurns } from "./measure.ts";
import { atLeast, type Row } from "./report.ts";

const CPU_HZ = 16_000_000;
const SIMULATED_SECONDS = 4;
const ROUNDS = 7;

export async function benchAvr(report: (row: Row) => void): Promise<void> {
  await benchFirmware(report, "example firmware", "../../test/firmware/i2c/firmware.hex", true);
  await benchFirmware(report, "talks all the time", "../../test/firmware/cases/twi-constant.hex", false);
}

async function benchFirmware(report: (row: Row) => void, name: string, file: string, hasGoals: boolean): Promise<void> {
  const hex = readFileSync(new URL(file, import.meta.url), "utf8");
  const answers = await answersTo(hex);
  const series = await takeTurns(
    ROUNDS,
    new Map([
      ["bare", () => megahertz(async () => bareRun(hex, answers))],
      ["attached", () => megahertz(() => attachedRun(hex))],
    ]),
  );
  const bare = series.get("bare") ?? [];
  const attached = series.get("attached") ?? [];
  report({ name: `avr, ${name}: bare avr8js`, figure: spreadOf(bare).median, unit: "MHz" });
  const figure = spreadOf(attached).median;
  const ratio = { ...ratioOf(attached, bare), of: "bare avr8js" };
  report({
    name: `avr, ${name}: with a module`,
    figure,
    unit: "MHz",
    ratio,
    ...(hasGoals && { goal: atLeast(ratio, 0.85) }),
  });
  const times = (figure * 1e6) / CPU_HZ;
  report({
    name: `avr, ${name}: speed`,
    figure: times,
    unit: "times real time",
    ...(hasGoals && { goal: { words: "≥ 2", reached: times >= 2 } }),
  });
}

/** Simulated MHz per second of this process's processor time. */
async function megahertz(run: () => Promise<void>): Promise<number> {
  const before = process.cpuUsage();
  await run();
  const { user, system } = process.cpuUsage(before);
  return (SIMULATED_SECONDS * CPU_HZ) / (user + system);
}

async function attachedRun(hex: string): Promise<void> {
  const firmware = await runFirmware(hex, { bus: "i2c", startTime: 0 });
  await firmware.run(SIMULATED_SECONDS);
  await firmware.close();
}

async function answersTo(hex: string): Promise<readonly Uint8Array[]> {
  const answers: Uint8Array[] = [];
  const firmware = await runFirmware(hex, { bus: "i2c", startTime: 0 });
  firmware.module.onFrame((_request, answer) => answers.push(answer ?? new Uint8Array(0)));
  await firmware.run(SIMULATED_SECONDS);
  await firmware.close();
  return answers;
}

function bareRun(hex: string, answers: readonly Uint8Array[]): void {
  const cpu = new CPU(new Uint16Array(parseIntelHex(hex).bytes.slice().buffer));
  const clock = new AVRClock(cpu, CPU_HZ);
  for (const config of [portBConfig, portCConfig, portDConfig]) new AVRIOPort(cpu, config);
  for (const config of [timer0Config, timer1Config, timer2Config]) new AVRTimer(cpu, config);
  new AVRUSART(cpu, usart0Config, CPU_HZ);
  new AVRSPI(cpu, spiConfig, CPU_HZ);
  new AVRADC(cpu, adcConfig);
  new AVREEPROM(cpu, new EEPROMMemoryBackend(1024));
  new AVRWatchdog(cpu, watchdogConfig, clock);
  playBack(cpu, new AVRTWI(cpu, twiConfig, CPU_HZ), answers);
  const end = SIMULATED_SECONDS * CPU_HZ;
  while (cpu.cycles < end) {
    avrInstruction(cpu);
    cpu.tick();
  }
}

function playBack(cpu: CPU, twi: AVRTWI, answers: readonly Uint8Array[]): void {
  let asked = 0;
  let place = 0;
  const after = (bits: number, run: () => void): void => {
    cpu.addClockEvent(run, Math.round((bits * CPU_HZ) / twi.sclFrequency));
  };
  twi.eventHandler = {
    start: () => after(1, () => twi.completeStart()),
    stop: () => after(1, () => twi.completeStop()),
    connectToSlave(_address, write) {
      if (write) asked++;
      place = 0;
      after(9, () => twi.completeConnect(true));
    },
    writeByte: () => after(9, () => twi.completeWrite(true)),
    readByte() {
      const byte = answers[asked - 1]?.[place++] ?? 0;
      after(9, () => twi.completeRead(byte));
    },
  };
}
