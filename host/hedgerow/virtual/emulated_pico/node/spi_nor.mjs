// The flash chip: a 2 MB SPI NOR that erases to ones, programs only towards zero and takes its time.
// Knows JEDEC commands and power cuts. Refuses to know who talks to it (see ssi.mjs) or what is stored.

const MS_IN_NS = 1e6;
const SECTOR_BYTES = 4096;
const PAGE_BYTES = 256;

const WRITE_ENABLE = 0x06;
const WRITE_DISABLE = 0x04;
const WRITE_STATUS = 0x01;
const READ_STATUS_1 = 0x05;
const READ_STATUS_2 = 0x35;
const READ = 0x03;
const JEDEC_ID = 0x9f;
const UNIQUE_ID = 0x4b;
const PAGE_PROGRAM = 0x02;

// Typical times of the W25Q16JV data sheet, section 9.6.
const ERASES = new Map([
  [0x20, { bytes: SECTOR_BYTES, ns: 45 * MS_IN_NS }],
  [0x52, { bytes: 32768, ns: 120 * MS_IN_NS }],
  [0xd8, { bytes: 65536, ns: 150 * MS_IN_NS }],
]);
const PROGRAM_NS = 0.4 * MS_IN_NS;

export class SpiNor {
  /**
   * cells: the bytes that the processor also sees through its memory window.
   * onTime(ns): the chip is busy for so long. onChange(offset, bytes): cells changed; keep them at once.
   * onPowerCut(): the supply fails now; nothing after this call may happen on the chip.
   */
  constructor(cells, { size, uid, onTime, onChange, onPowerCut }) {
    this.cells = cells;
    this.size = size;
    this.uid = uid;
    this.onTime = onTime;
    this.onChange = onChange;
    this.onPowerCut = onPowerCut;
    this.writable = false;
    this.command = [];
    this.stats = { erases: 0, programs: 0, programmed_bytes: 0 };
    this.cut = null;
  }

  /** The supply fails after so many erases and programs; torn: in the middle of the next one. */
  cutAfter(operations, torn) {
    this.cut = { operations, torn };
    if (operations === 0 && !torn) this.onPowerCut();
  }

  select() { this.command.length = 0; }

  /** One byte in, one byte out, as on the wire. */
  shift(byte) {
    const command = this.command;
    command.push(byte);
    const position = command.length - 1;
    switch (command[0]) {
      case WRITE_ENABLE: this.writable = true; break;
      case WRITE_DISABLE: this.writable = false; break;
      case READ_STATUS_1: return this.writable ? 0x02 : 0x00; // never busy: time has passed at once
      case READ_STATUS_2: return 0x02; // quad mode is on
      case JEDEC_ID: return [0xff, 0xef, 0x40, Math.log2(this.size)][position] ?? 0;
      case UNIQUE_ID: return position >= 5 ? this.uid[(position - 5) % this.uid.length] : 0xff;
      case READ: return position >= 4 ? this.cells[(this.address() + position - 4) % this.size] : 0xff;
    }
    return 0xff;
  }

  /** The chip carries out an erase or a program when it is deselected. */
  deselect() {
    const command = this.command;
    const opcode = command[0];
    const erase = ERASES.get(opcode);
    if (erase && command.length >= 4) this.change(() => this.erase(erase.bytes), erase.ns);
    else if (opcode === PAGE_PROGRAM && command.length > 4) this.change(() => this.program(), PROGRAM_NS);
    else if (opcode === WRITE_STATUS) this.writable = false;
    command.length = 0;
  }

  address() { return ((this.command[1] << 16) | (this.command[2] << 8) | this.command[3]) % this.size; }

  change(carryOut, ns) {
    const allowed = this.writable;
    this.writable = false;
    if (!allowed) return;
    const torn = this.cut?.torn && this.cut.operations === 0;
    this.halved = torn;
    carryOut();
    this.onTime?.(ns);
    if (torn) this.onPowerCut();
    if (this.cut && --this.cut.operations === 0 && !this.cut.torn) this.onPowerCut();
  }

  erase(bytes) {
    const start = this.address() & ~(bytes - 1);
    const end = start + (this.halved ? bytes / 2 : bytes);
    this.cells.fill(0xff, start, end);
    this.stats.erases++;
    this.onChange?.(start, this.cells.subarray(start, end));
  }

  program() {
    const address = this.address();
    const page = address & ~(PAGE_BYTES - 1);
    const data = this.command.length - 4;
    const count = this.halved ? data >> 1 : data;
    for (let i = 0; i < count; i++) this.cells[page | ((address + i) & (PAGE_BYTES - 1))] &= this.command[4 + i];
    this.stats.programs++;
    this.stats.programmed_bytes += count;
    this.onChange?.(page, this.cells.subarray(page, page + PAGE_BYTES));
  }
}
