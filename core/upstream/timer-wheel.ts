/**
 * One coarse clock for all timeouts of upstream connections. Arming a timer writes a number; it moves to another
 * slot of the wheel only when it would otherwise be looked at too late, so a keep-alive connection that arms and
 * disarms several times a request touches no list and no native timer.
 */

/** Timers fire between their delay and one tick later, plus what the event loop is late. */
const TICK_MS = 50;
/** 102 s a turn: the usual 60 s timeouts lie ahead of the hand. Longer ones are looked at once a turn. */
const SLOT_COUNT = 2048;
const NOT_LINKED = -1;
const DISARMED = 0;

export interface Expirable {
  onTimerExpired(): void;
}

/** A timer that belongs to one connection. `dispose` it with its owner. */
export class WheelTimer {
  /** Tick at which to fire; DISARMED for never. */
  deadlineTick = DISARMED;
  /** Slot tick at which the wheel looks at this timer; never later than an armed deadline. */
  linkedTick = NOT_LINKED;
  next: WheelTimer | undefined;
  previous: WheelTimer | undefined;
  readonly target: Expirable;
  private readonly wheel: TimerWheel;

  constructor(wheel: TimerWheel, target: Expirable) {
    this.wheel = wheel;
    this.target = target;
  }

  /** Fires after `delayMs`, instead of whatever it was armed for before. */
  arm(delayMs: number): void {
    const tick = this.wheel.tickAfter(delayMs);
    this.deadlineTick = tick;
    if (this.linkedTick === NOT_LINKED || tick < this.linkedTick) this.wheel.link(this, tick);
  }

  disarm(): void {
    this.deadlineTick = DISARMED;
  }

  dispose(): void {
    this.deadlineTick = DISARMED;
    this.wheel.unlink(this);
  }
}

export class TimerWheel {
  private readonly nowMs: () => number;
  private readonly startedAtMs: number;
  private readonly slots: (WheelTimer | undefined)[] = new Array(SLOT_COUNT).fill(undefined);
  private lastTick = 0;
  private linkedCount = 0;
  private interval: NodeJS.Timeout | undefined;

  /** `nowMs` is a monotonic clock; tests bring their own and call `advance`. */
  constructor(nowMs: () => number = () => performance.now()) {
    this.nowMs = nowMs;
    this.startedAtMs = nowMs();
  }

  createTimer(target: Expirable): WheelTimer {
    return new WheelTimer(this, target);
  }

  /** Number of timers the wheel still has to look at. */
  get size(): number {
    return this.linkedCount;
  }

  tickAfter(delayMs: number): number {
    return Math.ceil((this.nowMs() - this.startedAtMs + delayMs) / TICK_MS);
  }

  link(timer: WheelTimer, tick: number): void {
    this.detach(timer);
    this.startTicking();
    // Beyond one turn the hand would meet the timer early anyway; it is put further ahead then.
    const linkedTick = Math.min(Math.max(tick, this.lastTick + 1), this.lastTick + SLOT_COUNT - 1);
    const slot = linkedTick % SLOT_COUNT;
    const first = this.slots[slot];
    timer.linkedTick = linkedTick;
    timer.previous = undefined;
    timer.next = first;
    if (first !== undefined) first.previous = timer;
    this.slots[slot] = timer;
    this.linkedCount++;
  }

  unlink(timer: WheelTimer): void {
    this.detach(timer);
    if (this.linkedCount === 0) this.stop();
  }

  private detach(timer: WheelTimer): void {
    if (timer.linkedTick === NOT_LINKED) return;
    if (timer.previous === undefined) this.slots[timer.linkedTick % SLOT_COUNT] = timer.next;
    else timer.previous.next = timer.next;
    if (timer.next !== undefined) timer.next.previous = timer.previous;
    timer.next = undefined;
    timer.previous = undefined;
    timer.linkedTick = NOT_LINKED;
    this.linkedCount--;
  }

  /** Moves the hand to the present and fires what is due. */
  advance(): void {
    const presentTick = this.currentTick();
    // After a gap of more than one turn every slot is visited once.
    if (presentTick - this.lastTick > SLOT_COUNT) this.lastTick = presentTick - SLOT_COUNT;
    const due: WheelTimer[] = [];
    while (this.lastTick < presentTick) this.sweepSlot(++this.lastTick, presentTick, due);
    for (const timer of due) {
      // An earlier one of this round may have disposed or re-armed it.
      if (timer.deadlineTick === DISARMED || timer.linkedTick !== NOT_LINKED) continue;
      timer.deadlineTick = DISARMED;
      timer.target.onTimerExpired();
    }
  }

  stop(): void {
    clearInterval(this.interval);
    this.interval = undefined;
  }

  private sweepSlot(tick: number, presentTick: number, due: WheelTimer[]): void {
    let timer = this.slots[tick % SLOT_COUNT];
    while (timer !== undefined) {
      const next: WheelTimer | undefined = timer.next;
      if (timer.deadlineTick === DISARMED) {
        this.unlink(timer);
      } else if (timer.deadlineTick <= presentTick) {
        this.unlink(timer);
        due.push(timer);
      } else {
        this.link(timer, timer.deadlineTick);
      }
      timer = next;
    }
  }

  private currentTick(): number {
    return Math.floor((this.nowMs() - this.startedAtMs) / TICK_MS);
  }

  private startTicking(): void {
    if (this.interval !== undefined) return;
    this.lastTick = this.currentTick();
    this.interval = setInterval(() => this.onInterval(), TICK_MS).unref();
  }

  private onInterval(): void {
    // After a pause of the whole process the sockets may have what we waited for: let them speak first.
    if (this.currentTick() - this.lastTick > 2) setImmediate(() => this.advance());
    else this.advance();
  }
}
