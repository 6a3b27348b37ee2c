// The laptop's end of the USB cable: takes the board into use and moves bytes to and from its serial port.
// Knows USB transfers. Refuses to know pseudo-terminals (see server.mjs) and what the bytes mean.
//
// It says "not now" in both directions as real hosts do: a board that waits for input sleeps instead of taking
// an empty packet every 10 us, and a reader that is behind holds the board back instead of losing its output.
import { USBCDC } from 'rp2040js';

export class CdcHost extends USBCDC {
  /** onData(bytes) takes the board's output; mayOffer() says whether there is room for more of it. */
  constructor(controller, { onData, mayOffer }) {
    super(controller);
    this.toBoard = [];
    this.armed = []; // sizes of the receive buffers that the board has offered, oldest first
    this.mayOffer = mayOffer;
    this.outputHeld = false;
    this.onSerialData = onData;

    const readOther = controller.onEndpointRead;
    controller.onEndpointRead = (endpoint, size) => {
      if (endpoint !== this.outEndpoint) return readOther(endpoint, size);
      this.armed.push(size);
      this.pass();
    };
    const ready = controller.indicateBufferReady.bind(controller);
    this.releaseOutput = () => ready(this.inEndpoint, false);
    controller.indicateBufferReady = (endpoint, out) => {
      if (!out && endpoint === this.inEndpoint && !this.mayOffer()) this.outputHeld = true;
      else ready(endpoint, out);
    };
  }

  send(bytes) {
    for (const byte of bytes) this.toBoard.push(byte);
    this.pass();
  }

  /** Hand waiting bytes to a receive buffer of the board, if it has offered one. */
  pass() {
    if (!this.armed.length || !this.toBoard.length) return;
    const packet = this.toBoard.splice(0, this.armed.shift());
    this.usb.endpointReadDone(this.outEndpoint, Uint8Array.from(packet));
  }

  /** The reader has caught up: let the board send on. */
  roomAgain() {
    if (!this.outputHeld) return;
    this.outputHeld = false;
    this.releaseOutput();
  }
}
