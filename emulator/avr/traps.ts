/**
 * Places in the program where the simulation has to be told, at no cost for all the others: in the copy of flash that
 * the CPU executes, their word is an OUT to a reserved I/O address with a write hook behind it. LPM reads the untouched
 * flash.
 */
import type { CPU } from "avr8js";
import { SE, SMCR } from "./registers.ts";

/** `out 0x0C, r0`; I/O address 0x0C is reserved on the ATmega328P (datasheet §36). */
const TRAP = 0xb80c;
const TRAP_ADDRESS = 0x2c;
const ERASED_WORD = 0xffff;
const SLEEP = 0x9588;
/** How finely sleeping time is cut: an interrupt wakes the CPU at most this many cycles late, half a microsecond. */
const SLEEP_STEP = 8;

export interface TrapListeners {
  /** The program counter came back to the reset vector, without a reset. */
  restarted(): void;
  /** The program counter ran into erased flash, at this byte address. */
  fellThrough(address: number): void;
}

/** Lays the traps into the CPU's program. The first instruction from address 0 is the power-on, and is not told. */
export function layTraps(cpu: CPU, listeners: TrapListeners): void {
  const flash = cpu.progMem;
  const first = flash[0] ?? 0;
  const target = vectorTarget(first, flash[1] ?? 0);
  const executed = flash.map((word) => (word === ERASED_WORD || word === SLEEP ? TRAP : word));
  if (target) executed[0] = TRAP;
  // The CPU's byte view, which LPM reads, stays on the flash itself.
  cpu.progMem = executed;

  let poweredOn = false;
  let wakesUnless = -1;
  cpu.writeHooks[TRAP_ADDRESS] = () => {
    const at = cpu.pc;
    if (executed[at] !== TRAP) return;
    if (at === 0 && target) {
      if (poweredOn) listeners.restarted();
      poweredOn = true;
      // The OUT costs a cycle and steps one word on.
      cpu.cycles += target.cycles - 1;
      cpu.pc = target.word - 1;
    } else if (flash[at] !== SLEEP) {
      listeners.fellThrough(at * 2);
    } else if (((cpu.data[SMCR] ?? 0) & SE) !== 0) {
      // Asleep it is its own next instruction, until an interrupt's handler has come between.
      if (wakesUnless === -1 || cpu.cycles === wakesUnless) {
        cpu.cycles += SLEEP_STEP - 1;
        cpu.pc = at - 1;
        wakesUnless = cpu.cycles + 1;
      } else {
        wakesUnless = -1;
      }
    }
    return true;
  };
}

/** Where the reset vector jumps, for the two instructions that stand there. */
function vectorTarget(opcode: number, next: number): { readonly word: number; readonly cycles: number } | undefined {
  // JMP k, within 64 K words; RJMP k.
  if (opcode === 0x940c) return { word: next, cycles: 3 };
  if ((opcode & 0xf000) === 0xc000) return { word: (1 + signed12(opcode & 0xfff)) & 0x3fff, cycles: 2 };
  return undefined;
}

function signed12(value: number): number {
  return value & 0x800 ? value - 0x1000 : value;
}
