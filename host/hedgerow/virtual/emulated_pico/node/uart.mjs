// A PL011 UART whose characters take their time on the wire and whose FIFOs can overrun.
// Knows registers (RP2040 data sheet 4.2.8) and time. Refuses to know what the bytes mean.
import { atomic } from './ssi.mjs';

const DR = 0x00, FR = 0x18, IBRD = 0x24, FBRD = 0x28, LCR_H = 0x2c, CR = 0x30, IFLS = 0x34, IMSC = 0x38, RIS = 0x3c,
  MIS = 0x40, ICR = 0x44, DMACR = 0x48;
const PERIPHERAL_IDS = new Map([
  [0xfe0, 0x11], [0xfe4, 0x10], [0xfe8, 0x34], [0xff0, 0x0d], [0xff4, 0xf0], [0xff8, 0x05], [0xffc, 0xb1]]);

const RX_LEVEL_IRQ = 0x10, TX_IRQ = 0x20, RX_TIMEOUT_IRQ = 0x40, OVERRUN_IRQ = 0x400;
const TX_EMPTY = 0x80, RX_FULL = 0x40, TX_FULL = 0x20, RX_EMPTY = 0x10, BUSY = 0x08;
const OVERRUN_FLAG = 0x800;
const LOOPBACK = 0x80, FIFOS = 0x10;
const FIFO_LEVELS = [4, 8, 16, 24, 28, 28, 28, 28]; // of 32, by the fields of IFLS
const TIMEOUT_BITS = 32;

export class Uart {
  /** onByte(value): a whole character has left the pin. */
  constructor(chip, interrupt, onByte) {
    this.chip = chip;
    this.interrupt = interrupt;
    this.onByte = onByte;
    this.registers = new Map([[CR, 0x300], [IFLS, 0x12]]);
    this.raised = 0;
    this.sending = [];
    this.received = [];
    this.inShift = null;
    this.overrun = 0;
    this.lost = 0;
    this.sentAlarm = chip.clock.createAlarm(() => this.characterSent());
    this.silenceAlarm = chip.clock.createAlarm(() => { if (this.received.length) this.raise(RX_TIMEOUT_IRQ); });
    this.arriving = [];
    this.arrivalAlarm = chip.clock.createAlarm(() => this.characterArrived());
  }

  get(register) { return this.registers.get(register) ?? 0; }
  get depth() { return this.get(LCR_H) & FIFOS ? 32 : 1; }
  get sendLevel() { return this.depth > 1 ? FIFO_LEVELS[this.get(IFLS) & 7] : 0; }
  get receiveLevel() { return this.depth > 1 ? FIFO_LEVELS[(this.get(IFLS) >> 3) & 7] : 1; }

  get baud() {
    const divisor = this.get(IBRD) + this.get(FBRD) / 64;
    return divisor ? Math.round(this.chip.clkPeri / (16 * divisor)) : 115200;
  }

  get bitNs() { return 1e9 / this.baud; }

  get characterNs() {
    const format = this.get(LCR_H);
    const bits = 1 + 5 + ((format >> 5) & 3) + ((format >> 1) & 1) + (format & 8 ? 2 : 1);
    return bits * this.bitNs;
  }

  clkPeriChanged() { } // the rate is worked out anew at every character

  raise(bits) {
    this.raised |= bits;
    this.updateInterrupt();
  }

  updateInterrupt() { this.chip.setInterrupt(this.interrupt, !!(this.raised & this.get(IMSC))); }

  /** Bytes from outside reach the pin one character time apart. */
  deliver(bytes) {
    const idle = !this.arriving.length;
    for (const byte of bytes) this.arriving.push(byte);
    if (idle && this.arriving.length) this.arrivalAlarm.schedule(this.characterNs);
  }

  characterArrived() {
    this.receive(this.arriving.shift());
    if (this.arriving.length) this.arrivalAlarm.schedule(this.characterNs);
  }

  receive(byte) {
    if (this.received.length >= this.depth) {
      this.overrun = OVERRUN_FLAG;
      this.lost++;
      this.raised |= OVERRUN_IRQ;
    } else {
      this.received.push(byte | this.overrun);
      this.overrun = 0;
    }
    if (this.received.length >= this.receiveLevel) this.raised |= RX_LEVEL_IRQ;
    this.silenceAlarm.schedule(TIMEOUT_BITS * this.bitNs);
    this.updateInterrupt();
  }

  startCharacter() {
    if (this.inShift !== null || !this.sending.length) return;
    this.inShift = this.sending.shift();
    this.sentAlarm.schedule(this.characterNs);
    if (this.sending.length <= this.sendLevel) this.raise(TX_IRQ);
  }

  characterSent() {
    const byte = this.inShift;
    this.inShift = null;
    if (this.get(CR) & LOOPBACK) this.receive(byte);
    else this.onByte(byte);
    this.startCharacter();
  }

  takeReceived() {
    const value = this.received.shift() ?? 0;
    if (this.received.length < this.receiveLevel) this.raised &= ~RX_LEVEL_IRQ;
    if (!this.received.length) this.raised &= ~(RX_LEVEL_IRQ | RX_TIMEOUT_IRQ);
    this.updateInterrupt();
    return value;
  }

  flags() {
    const busy = this.inShift !== null || this.sending.length;
    return (this.sending.length ? 0 : TX_EMPTY) | (this.received.length >= this.depth ? RX_FULL : 0)
      | (this.sending.length >= this.depth ? TX_FULL : 0) | (this.received.length ? 0 : RX_EMPTY) | (busy ? BUSY : 0);
  }

  readUint32(offset) {
    switch (offset) {
      case DR: return this.takeReceived();
      case FR: return this.flags();
      case RIS: return this.raised;
      case MIS: return this.raised & this.get(IMSC);
    }
    return PERIPHERAL_IDS.get(offset) ?? this.get(offset);
  }

  writeUint32(offset, value) {
    switch (offset) {
      case DR:
        if (this.sending.length < this.depth) this.sending.push(value & 0xff);
        if (this.sending.length > this.sendLevel) this.raised &= ~TX_IRQ;
        this.startCharacter();
        break;
      case IBRD: case FBRD: case LCR_H: case CR: case IFLS: case IMSC: case DMACR:
        this.registers.set(offset, value);
        break;
      case ICR:
        this.raised &= ~value;
        break;
    }
    this.updateInterrupt();
  }

  writeUint32Atomic(offset, value, alias) {
    const current = offset === DR || offset === ICR ? 0 : this.readUint32(offset);
    this.writeUint32(offset, alias ? atomic(current, value, alias) : value);
  }
}
