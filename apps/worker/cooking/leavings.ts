import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { Kitchen } from './kitchen.ts';

/** What lies in the kitchen of cooks that are over: a worker that was killed had no time to remove it. */
@Injectable()
export class Leavings {
  constructor(
    private readonly dataSource: DataSource,
    private readonly kitchen: Kitchen,
  ) {}

  /** @returns how many there were */
  async remove(): Promise<number> {
    const here = await this.kitchen.present();
    const rows = await this.dataSource.query<{ id: number }[]>(
      'SELECT id FROM cooks WHERE id = ANY($1) AND finished_at IS NULL',
      [here],
    );
    const over = here.filter((id) => !rows.some((row) => row.id === id));
    for (const id of over) await this.kitchen.remove(id);
    return over.length;
  }
}
