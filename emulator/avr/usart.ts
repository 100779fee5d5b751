/**
 * USART0, asynchronous (ATmega328P datasheet §20), in place of avr8js's AVRUSART, whose edges would show to firmware: any
 * write of UCSR0A clears UDRE, so that one which sets U2X last waits for UDRE for ever; any write of UCSR0B drops a
 * received byte; entering the UDRE handler clears UDRE; and a byte that comes before the last one was read replaces it.
 *
 * A byte leaves, and is in, when its bits' time at the baud rate set has passed.
 */
import { type CPU, usart0Config } from "avr8js";
import {
  CPU_HZ,
  DOR,
  type InterruptSource,
  MPCM,
  RXC,
  RXCIE,
  RXEN,
  TXC,
  TXCIE,
  TXEN,
  U2X,
  UCSZ2,
  UDRE,
  UDRIE,
} from "./registers.ts";

const { UCSRA, UCSRB, UCSRC, UBRRL, UBRRH, UDR } = usart0Config;

const receiveComplete: InterruptSource = {
  address: usart0Config.rxCompleteInterrupt,
  flagRegister: UCSRA,
  flagMask: RXC,
  enableRegister: UCSRB,
  enableMask: RXCIE,
  // Cleared by reading UDR0, not by entering the handler (§20.11.2).
  constant: true,
};
const dataRegisterEmpty: InterruptSource = {
  address: usart0Config.dataRegisterEmptyInterrupt,
  flagRegister: UCSRA,
  flagMask: UDRE,
  enableRegister: UCSRB,
  enableMask: UDRIE,
  // Cleared by writing UDR0.
  constant: true,
};
const transmitComplete: InterruptSource = {
  address: usart0Config.txCompleteInterrupt,
  flagRegister: UCSRA,
  flagMask: TXC,
  enableRegister: UCSRB,
  enableMask: TXCIE,
};

/** Two in the buffer, and one in the shift register until the next one's start bit (§20.11.2, DOR). */
const RECEIVE_MOST = 3;

export class Usart {
  /** A byte that has left. */
  onByte: (byte: number) => void = () => undefined;
  /** A byte written while the buffer was full, or with the transmitter off: it never leaves. */
  onLost: (reason: "not-ready" | "off") => void = () => undefined;
  readonly #cpu: CPU;
  /** On the line at this moment. */
  #shifting: number | undefined;
  /** Waits in UDR0 for the shift register. */
  #next: number | undefined;
  #received: number[] = [];

  constructor(cpu: CPU) {
    this.#cpu = cpu;
    // The reset values (§20.11).
    cpu.data[UCSRA] = UDRE;
    cpu.data[UCSRC] = 0x06;
    cpu.writeHooks[UCSRA] = (value, old) => this.#writeA(value, old);
    cpu.writeHooks[UCSRB] = (value) => this.#writeB(value);
    cpu.writeHooks[UDR] = (value) => this.#transmit(value);
    cpu.readHooks[UDR] = () => this.#take();
  }

  /** Bits a second, as set at this moment (§20.3.1). */
  get baudRate(): number {
    return CPU_HZ / this.#bitCycles;
  }

  /** CPU cycles of one byte with its start, parity and stop bits. */
  get byteCycles(): number {
    const c = this.#read(UCSRC);
    return this.#bitCycles * (1 + this.dataBits + (c & 0x20 ? 1 : 0) + (c & 0x08 ? 2 : 1));
  }

  get dataBits(): number {
    const size = (this.#read(UCSRB) & UCSZ2) | ((this.#read(UCSRC) >> 1) & 0x03);
    return size === 7 ? 9 : 5 + Math.min(size, 3);
  }

  /** 8 data bits and no parity; the number of stop bits does not keep two ends from understanding each other. */
  get is8N1(): boolean {
    return this.dataBits === 8 && (this.#read(UCSRC) & 0xe0) === 0;
  }

  get receiving(): boolean {
    return (this.#read(UCSRB) & RXEN) !== 0;
  }

  /** A byte whose stop bit has just come in. One too many is lost, and DOR says so. */
  receive(byte: number): void {
    if (!this.receiving) return;
    if (this.#received.length >= RECEIVE_MOST) {
      this.#cpu.data[UCSRA] = this.#read(UCSRA) | DOR;
      return;
    }
    this.#received.push(byte);
    this.#cpu.setInterruptFlag(receiveComplete);
  }

  get #bitCycles(): number {
    const divisor = (((this.#read(UBRRH) & 0x0f) << 8) | this.#read(UBRRL)) + 1;
    return divisor * (this.#read(UCSRA) & U2X ? 8 : 16);
  }

  #read(register: number): number {
    return this.#cpu.data[register] ?? 0;
  }

  /** Writable are U2X and MPCM; a one clears TXC; the rest is read-only. */
  #writeA(value: number, old: number): true {
    this.#cpu.data[UCSRA] = (old & ~(U2X | MPCM)) | (value & (U2X | MPCM));
    if (value & TXC) this.#cpu.clearInterrupt(transmitComplete);
    return true;
  }

  #writeB(value: number): true {
    const cpu = this.#cpu;
    cpu.data[UCSRB] = value;
    // Switching the receiver off empties its buffer (§20.7.6).
    if ((value & RXEN) === 0) this.#forgetReceived();
    for (const interrupt of [receiveComplete, dataRegisterEmpty, transmitComplete])
      cpu.updateInterruptEnable(interrupt, value);
    return true;
  }

  #transmit(value: number): true {
    const cpu = this.#cpu;
    if ((this.#read(UCSRB) & TXEN) === 0) {
      this.onLost("off");
    } else if (this.#next !== undefined) {
      this.onLost("not-ready");
    } else {
      this.#next = value;
      cpu.clearInterrupt(dataRegisterEmpty);
      if (this.#shifting === undefined) this.#shift();
    }
    return true;
  }

  /** From UDR0 to the shift register, which makes room in UDR0. */
  #shift(): void {
    this.#shifting = this.#next;
    this.#next = undefined;
    this.#cpu.setInterruptFlag(dataRegisterEmpty);
    this.#cpu.addClockEvent(this.#shifted, this.byteCycles);
  }

  readonly #shifted = (): void => {
    const byte = this.#shifting ?? 0;
    this.#shifting = undefined;
    if (this.#next === undefined) this.#cpu.setInterruptFlag(transmitComplete);
    else this.#shift();
    this.onByte(byte);
  };

  #take(): number {
    const byte = this.#received.shift() ?? 0;
    this.#cpu.data[UCSRA] = this.#read(UCSRA) & ~DOR;
    if (this.#received.length === 0) this.#cpu.clearInterrupt(receiveComplete);
    return byte;
  }

  #forgetReceived(): void {
    this.#received = [];
    this.#cpu.clearInterrupt(receiveComplete);
  }
}
