/**
 * The two-wire interface as a bus master (ATmega328P datasheet §22), in place of avr8js's AVRTWI, whose edges would show
 * to firmware: it raises TWINT after a STOP and at reset, loses a raised TWINT to any write of TWCR, drops the STOP of
 * STOP-and-START, and never answers a byte that is written after a NACK, so that firmware which does not look at TWSR
 * hangs there and nowhere else.
 *
 * A bus action takes the time of its bits at the SCL frequency that TWBR and TWPS set.
 */
import { type CPU, twiConfig } from "avr8js";
import { CPU_HZ, type InterruptSource, TWEA, TWEN, TWIE, TWINT, TWSTA, TWSTO, TWWC } from "./registers.ts";

/** What hangs on the bus, as the master moves it. */
export interface TwiBus {
  /** START, or a repeated one. */
  start(): void;
  /** SLA+R/W. Returns whether somebody acknowledges. */
  address(address: number, direction: "write" | "read"): boolean;
  /** A byte from the master. Returns whether it is acknowledged. */
  write(byte: number): boolean;
  /** The next byte to the master. */
  read(): number;
  stop(): void;
}

/** A bus with nothing on it: pulled up, so that nobody acknowledges and every byte reads 0xFF. */
export const emptyBus: TwiBus = {
  start: () => undefined,
  address: () => false,
  write: () => false,
  read: () => 0xff,
  stop: () => undefined,
};

/** TWSR in master mode, §22.7. */
const status = {
  start: 0x08,
  repeatedStart: 0x10,
  addressWriteAck: 0x18,
  addressWriteNack: 0x20,
  writtenAck: 0x28,
  writtenNack: 0x30,
  addressReadAck: 0x40,
  addressReadNack: 0x48,
  readAck: 0x50,
  readNack: 0x58,
  idle: 0xf8,
} as const;

const BYTE_BITS = 9;
const { TWBR, TWSR, TWDR, TWCR } = twiConfig;

const interrupt: InterruptSource = {
  address: twiConfig.twiInterrupt,
  flagRegister: TWCR,
  flagMask: TWINT,
  enableRegister: TWCR,
  enableMask: TWIE,
  // TWINT stays until software clears it; entering the handler does not (§22.9.2).
  constant: true,
};

/** Where the interface stands, for telling people why nothing goes on. */
export type TwiState =
  | { readonly kind: "off" }
  | { readonly kind: "idle" }
  /** An action is under way. */
  | { readonly kind: "busy" }
  /** TWINT is raised and holds SCL low, since this CPU cycle: the firmware's turn. */
  | { readonly kind: "waiting"; readonly since: number }
  /** The firmware cleared TWINT where only START or STOP can follow (§22.7, 0x48 and 0x58): nothing happens any more. */
  | { readonly kind: "stuck" };

export class Twi {
  bus: TwiBus = emptyBus;
  #state: TwiState = { kind: "off" };
  /** A transaction is open: START was sent, STOP was not. */
  #open = false;
  readonly #cpu: CPU;
  #pending: (() => void) | undefined;

  constructor(cpu: CPU) {
    this.#cpu = cpu;
    cpu.data[TWSR] = status.idle;
    cpu.data[TWDR] = 0xff;
    cpu.writeHooks[TWCR] = (value, old) => this.#control(value, old);
    cpu.writeHooks[TWDR] = (value) => this.#writeData(value);
    // The status bits are read-only (§22.9.3).
    cpu.writeHooks[TWSR] = (value, old) => {
      cpu.data[TWSR] = (old & 0xf8) | (value & 0x03);
      return true;
    };
  }

  get state(): TwiState {
    return this.#state;
  }

  /** Hz, as set at this moment (§22.5.2). */
  get frequency(): number {
    return CPU_HZ / this.#bitCycles;
  }

  get #bitCycles(): number {
    const { data } = this.#cpu;
    return 16 + 2 * (data[TWBR] ?? 0) * 4 ** ((data[TWSR] ?? 0) & 0x03);
  }

  get #status(): number {
    return (this.#cpu.data[TWSR] ?? 0) & 0xf8;
  }

  #control(value: number, old: number): true {
    const cpu = this.#cpu;
    // Writing a one clears TWINT and sets off the next action; a zero leaves it as it is. TWWC is read-only.
    const raised = (old & TWINT) !== 0 && (value & TWINT) === 0;
    cpu.data[TWCR] = (value & ~(TWINT | TWWC)) | (old & TWWC) | (raised ? TWINT : 0);
    if (raised) cpu.updateInterruptEnable(interrupt, value);
    else cpu.clearInterrupt(interrupt);

    if ((value & TWEN) === 0) this.#switchOff();
    else if (this.#state.kind === "off") this.#state = { kind: "idle" };
    if ((value & TWEN) !== 0 && !raised && this.#state.kind !== "busy") this.#act(value);
    return true;
  }

  /** Carries on from where the bus stands, as TWCR says. */
  #act(control: number): void {
    if (control & TWSTO) return this.#stop((control & TWSTA) !== 0);
    if (control & TWSTA) return this.#start();
    switch (this.#status) {
      case status.start:
      case status.repeatedStart:
        return this.#address();
      // Nobody stops the master from writing on after a NACK; it is not acknowledged either.
      case status.addressWriteAck:
      case status.addressWriteNack:
      case status.writtenAck:
      case status.writtenNack:
        return this.#write();
      case status.addressReadAck:
      case status.readAck:
        return this.#read((control & TWEA) !== 0);
      case status.addressReadNack:
      case status.readNack:
        this.#state = { kind: "stuck" };
    }
  }

  #start(): void {
    const repeated = this.#open;
    this.#after(1, () => {
      this.#open = true;
      this.bus.start();
      this.#finish(repeated ? status.repeatedStart : status.start);
    });
  }

  /** TWSTO is cleared when the STOP is on the bus, and TWINT is not raised (§22.9.2). */
  #stop(thenStart: boolean): void {
    this.#after(1, () => {
      const cpu = this.#cpu;
      this.#close();
      cpu.data[TWCR] = (cpu.data[TWCR] ?? 0) & ~TWSTO;
      this.#setStatus(status.idle);
      this.#state = { kind: "idle" };
      if (thenStart) this.#start();
    });
  }

  #address(): void {
    const byte = this.#cpu.data[TWDR] ?? 0;
    const direction = byte & 1 ? "read" : "write";
    this.#after(BYTE_BITS, () => {
      const acknowledged = this.bus.address(byte >> 1, direction);
      if (direction === "read") this.#finish(acknowledged ? status.addressReadAck : status.addressReadNack);
      else this.#finish(acknowledged ? status.addressWriteAck : status.addressWriteNack);
    });
  }

  #write(): void {
    const byte = this.#cpu.data[TWDR] ?? 0;
    this.#after(BYTE_BITS, () => this.#finish(this.bus.write(byte) ? status.writtenAck : status.writtenNack));
  }

  #read(acknowledge: boolean): void {
    this.#after(BYTE_BITS, () => {
      this.#cpu.data[TWDR] = this.bus.read();
      this.#finish(acknowledge ? status.readAck : status.readNack);
    });
  }

  #after(bits: number, run: () => void): void {
    this.#state = { kind: "busy" };
    const done = (): void => {
      // Cancelled by switching off; avr8js must not be asked to forget an event from within another.
      if (this.#pending !== done) return;
      this.#pending = undefined;
      run();
    };
    this.#pending = done;
    this.#cpu.addClockEvent(done, bits * this.#bitCycles);
  }

  #finish(value: number): void {
    this.#setStatus(value);
    this.#state = { kind: "waiting", since: this.#cpu.cycles };
    this.#cpu.setInterruptFlag(interrupt);
  }

  #setStatus(value: number): void {
    this.#cpu.data[TWSR] = value | ((this.#cpu.data[TWSR] ?? 0) & 0x03);
  }

  /** Whatever was under way is over, and the pins are the ports' again (§22.9.2, TWEN). */
  #switchOff(): void {
    this.#pending = undefined;
    this.#close();
    this.#setStatus(status.idle);
    this.#state = { kind: "off" };
  }

  #close(): void {
    if (this.#open) this.bus.stop();
    this.#open = false;
  }

  /** TWDR can be written while TWINT is raised, and at no other time (§22.9.4). */
  #writeData(value: number): true {
    const { data } = this.#cpu;
    const control = data[TWCR] ?? 0;
    if (control & TWINT) {
      data[TWDR] = value;
      data[TWCR] = control & ~TWWC;
    } else {
      data[TWCR] = control | TWWC;
    }
    return true;
  }
}
