/** Lets at most `size` pieces of work run at once; the others stand in line. */
export class Slots {
  private used = 0;
  private readonly line: (() => void)[] = [];
  private readonly watchers: (() => void)[] = [];

  constructor(private readonly size: number) {}

  get free(): number {
    return this.size - this.used;
  }

  async use(work: () => Promise<void>): Promise<void> {
    if (this.used >= this.size) await new Promise<void>((resolve) => this.line.push(resolve));
    else this.used += 1;
    try {
      await work();
    } finally {
      this.release();
    }
  }

  /** Resolves when nothing runs and nothing stands in line. */
  async idle(): Promise<void> {
    if (this.used > 0) await new Promise<void>((resolve) => this.watchers.push(resolve));
  }

  /** A slot goes to the first in line without ever being free, so that `use` cannot be overtaken. */
  private release(): void {
    const next = this.line.shift();
    if (next) {
      next();
      return;
    }
    this.used -= 1;
    if (this.used === 0) for (const resolve of this.watchers.splice(0)) resolve();
  }
}
