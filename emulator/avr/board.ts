/**
 * An ATmega328P at 16 MHz, as on an Arduino Uno: avr8js's CPU, timers, SPI, ports, EEPROM, ADC and watchdog, and this
 * folder's TWI and USART. What is not simulated is in docs/firmware.md.
 */
import {
  AVRADC,
  AVRClock,
  AVREEPROM,
  AVRIOPort,
  AVRSPI,
  AVRTimer,
  AVRWatchdog,
  adcConfig,
  avrInstruction,
  CPU,
  EEPROMMemoryBackend,
  PinState,
  portBConfig,
  portCConfig,
  portDConfig,
  spiConfig,
  timer0Config,
  timer1Config,
  timer2Config,
  watchdogConfig,
} from "avr8js";
import type { FlashImage } from "./intel-hex.ts";
import type { Pin, PinLevel, PortName } from "./pins.ts";
import { CPU_HZ } from "./registers.ts";
import { layTraps } from "./traps.ts";
import { Twi } from "./twi.ts";
import { Usart } from "./usart.ts";

/** 2 KB from 0x100 to 0x8FF (datasheet §8.3). */
const SRAM_BYTES = 2048;
const SRAM_FIRST = 0x100;
const SRAM_LAST = 0x8ff;
const EEPROM_BYTES = 1024;

/** Why the CPU cannot go on. */
export type Halt =
  /** It ran into erased flash. */
  | { readonly kind: "erased-flash"; readonly address: number }
  /** The program counter is nowhere in flash: a return from a stack that held none. */
  | { readonly kind: "lost" }
  /** The stack pointer has left SRAM. */
  | { readonly kind: "stack"; readonly pointer: number }
  /** It came back to address 0 time and again without a reset. */
  | { readonly kind: "restarts"; readonly times: number }
  /** The watchdog reset it, which is not simulated. */
  | { readonly kind: "watchdog" };

export interface BoardOptions {
  /** So many jumps to address 0 are let pass. */
  readonly maxRestarts: number;
}

export class Board {
  readonly cpu: CPU;
  readonly clock: AVRClock;
  readonly twi: Twi;
  readonly usart: Usart;
  readonly spi: AVRSPI;
  /** Jumps to address 0 so far. */
  restarts = 0;
  readonly #ports: Readonly<Record<PortName, AVRIOPort>>;
  /** The cycle up to which the CPU may run; a plain object, because the hot loop reads it. */
  readonly #gate = { until: 0 };
  #halt: Halt | undefined;

  constructor({ bytes }: FlashImage, { maxRestarts }: BoardOptions) {
    // A copy with a buffer of its own: the CPU takes the whole of it for its flash.
    const cpu = new CPU(new Uint16Array(bytes.slice().buffer), SRAM_BYTES);
    this.cpu = cpu;
    this.clock = new AVRClock(cpu, CPU_HZ);
    this.#ports = {
      B: new AVRIOPort(cpu, portBConfig),
      C: new AVRIOPort(cpu, portCConfig),
      D: new AVRIOPort(cpu, portDConfig),
    };
    for (const timer of [timer0Config, timer1Config, timer2Config]) {
      new AVRTimer(cpu, timer);
      keepFlagsNotCleared(cpu, timer.TIFR);
    }
    this.usart = new Usart(cpu);
    this.twi = new Twi(cpu);
    this.spi = new AVRSPI(cpu, spiConfig, CPU_HZ);
    new AVRADC(cpu, adcConfig);
    new AVREEPROM(cpu, new EEPROMMemoryBackend(EEPROM_BYTES));
    new AVRWatchdog(cpu, watchdogConfig, this.clock);
    for (const port of Object.values(this.#ports)) pullUp(port);
    // The watchdog's way to reset, which leaves the peripherals and the memory as they are; a real reset does not.
    cpu.reset = () => this.#stop({ kind: "watchdog" });
    layTraps(cpu, {
      restarted: () => {
        this.restarts++;
        if (this.restarts > maxRestarts) this.#stop({ kind: "restarts", times: this.restarts });
      },
      fellThrough: (address) => this.#stop({ kind: "erased-flash", address }),
    });
  }

  /** Simulated seconds since power-on. */
  get seconds(): number {
    return this.cpu.cycles / CPU_HZ;
  }

  /** Why it cannot go on, once it cannot. */
  get halted(): Halt | undefined {
    return this.#halt;
  }

  /** Runs up to this CPU cycle, or to the first {@link pause} or halt before it. */
  run(untilCycle: number): void {
    if (this.#halt) return;
    const { cpu } = this;
    const gate = this.#gate;
    gate.until = untilCycle;
    while (cpu.cycles < gate.until) {
      avrInstruction(cpu);
      cpu.tick();
    }
    this.#check();
  }

  /** Has the run that is under way end after this instruction, so that promises can settle at this simulated time. */
  pause(): void {
    this.#gate.until = 0;
  }

  level({ port, bit }: Pin): PinLevel {
    switch (this.#ports[port].pinState(bit)) {
      case PinState.Low:
        return "low";
      case PinState.High:
      case PinState.InputPullUp:
        return "high";
      case PinState.Input:
        return "floating";
    }
  }

  isOutput({ port, bit }: Pin): boolean {
    const { DDR } = this.#ports[port].portConfig;
    return ((this.cpu.data[DDR] ?? 0) & (1 << bit)) !== 0;
  }

  /** Calls the listener with each new level of the pin. Returns its removal. */
  watch(pin: Pin, listener: (level: PinLevel) => void): () => void {
    const port = this.#ports[pin.port];
    let last = this.level(pin);
    const changed = (): void => {
      const level = this.level(pin);
      if (level === last) return;
      last = level;
      listener(level);
    };
    port.addListener(changed);
    return () => port.removeListener(changed);
  }

  #check(): void {
    const { pc, SP } = this.cpu;
    // NaN is no place either: it is what a return address beyond SRAM reads as.
    if (!(pc >= 0 && pc < this.cpu.progMem.length)) this.#stop({ kind: "lost" });
    else if (SP < SRAM_FIRST - 1 || SP > SRAM_LAST) this.#stop({ kind: "stack", pointer: SP });
  }

  #stop(halt: Halt): void {
    this.#halt ??= halt;
    this.pause();
  }
}

/** A one clears a timer's flag and a zero leaves it (§15.9.7); avr8js takes the zeros' flags away too. */
function keepFlagsNotCleared(cpu: CPU, register: number): void {
  const clear = cpu.writeHooks[register];
  cpu.writeHooks[register] = (value, old, address, mask) => {
    clear?.(value, old, address, mask);
    cpu.data[register] = old & ~value;
    return true;
  };
}

/** An input with its pull-up on and nothing on it reads high (§14.2.1); in avr8js an input reads low until it is set. */
function pullUp(port: AVRIOPort): void {
  let pulled = 0;
  port.addListener(() => {
    for (let bit = 0; bit < 8; bit++) {
      const up = port.pinState(bit) === PinState.InputPullUp;
      if (up === ((pulled & (1 << bit)) !== 0)) continue;
      pulled ^= 1 << bit;
      port.setPin(bit, up);
    }
  });
}
