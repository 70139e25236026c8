import { Column, DataSource, Entity, PrimaryGeneratedColumn } from 'typeorm';
import { describe, expect, it } from 'vitest';
import { testDatabase } from '../../test/support/test-database.ts';
import { BaseEntity, BigintColumn } from './columns.ts';
import { parseInt8 } from './int8.ts';
import { migrate } from './migrate.ts';
import { isUniqueViolation, runInTransaction } from './transaction.ts';

@Entity('parcels')
class Parcel extends BaseEntity {
  @BigintColumn('weight_bytes')
  weightBytes!: number;

  @Column()
  label!: string;
}

@Entity('counters')
class Counter {
  @PrimaryGeneratedColumn()
  id!: number;

  @Column()
  value!: number;
}

const database = testDatabase({ entities: [Parcel, Counter] });

describe('the data source', () => {
  it('knows the types of decorated columns', () => {
    const column = database.dataSource.getMetadata(Parcel).findColumnWithPropertyName('label');
    expect(column?.type).toBe(String);
  });

  it('reads and writes public ids as numbers', async () => {
    await database.dataSource.query(
      'CREATE TABLE parcels (id bigint PRIMARY KEY, weight_bytes bigint NOT NULL, label text NOT NULL, created_at timestamptz DEFAULT now(), updated_at timestamptz DEFAULT now())',
    );
    const parcels = database.dataSource.getRepository(Parcel);
    await parcels.insert({ id: Number.MAX_SAFE_INTEGER, weightBytes: 2 ** 40, label: 'a' });
    const found = await parcels.findOneByOrFail({ id: Number.MAX_SAFE_INTEGER });
    expect(found.id).toBe(Number.MAX_SAFE_INTEGER);
    expect(found.weightBytes).toBe(2 ** 40);
    const again = parcels.insert({ id: Number.MAX_SAFE_INTEGER, weightBytes: 1, label: 'b' });
    await expect(again).rejects.toSatisfy((error) => isUniqueViolation(error, 'parcels_pkey'));
  });

  it('refuses a bigint that would lose digits', async () => {
    expect(() => parseInt8('9007199254740993')).toThrow(RangeError);
    await expect(database.dataSource.query('SELECT 9007199254740993::bigint')).rejects.toThrow(
      'out of the safe range',
    );
  });

  it('has statements with parameters parsed once per connection, and outlives columns that a migration adds', async () => {
    await database.dataSource.query('CREATE TABLE shelves (id int, label text)');
    await database.dataSource.transaction(async (manager) => {
      const named = 'SELECT label FROM shelves WHERE id = $1';
      const all = 'SELECT * FROM shelves WHERE id = $1';
      await manager.query('INSERT INTO shelves VALUES ($1, $2)', [1, 'a']);
      for (const text of [named, named, all]) await manager.query(text, [1]);
      const kept: { statement: string }[] = await manager.query(
        'SELECT statement FROM pg_prepared_statements',
      );
      expect(kept.filter(({ statement }) => statement === named)).toHaveLength(1);
      await manager.query('ALTER TABLE shelves ADD COLUMN width_millimetres int');
      expect(await manager.query(named, [1])).toEqual([{ label: 'a' }]);
      expect(await manager.query(all, [1])).toEqual([{ id: 1, label: 'a', width_millimetres: null }]);
    });
  });

  it('has nothing left to migrate, however many ask at once', async () => {
    expect(await Promise.all([migrate(database.dataSource), migrate(database.dataSource)])).toEqual([[], []]);
    expect(database.dataSource).toBeInstanceOf(DataSource);
  });
});

describe('runInTransaction', () => {
  it('tries again after a serialization failure, until all the work is done', async () => {
    await database.dataSource.query('CREATE TABLE counters (id serial PRIMARY KEY, value int NOT NULL)');
    const { id } = await database.dataSource.getRepository(Counter).save({ value: 0 });
    const increment = () =>
      runInTransaction(
        database.dataSource,
        async (manager) => {
          const counter = await manager.findOneByOrFail(Counter, { id });
          await manager.update(Counter, { id }, { value: counter.value + 1 });
        },
        { isolation: 'SERIALIZABLE', tries: 50 },
      );
    await Promise.all(Array.from({ length: 6 }, increment));
    expect((await database.dataSource.getRepository(Counter).findOneByOrFail({ id })).value).toBe(6);
  });

  it('joins the transaction that it is given', async () => {
    const failing = database.dataSource.transaction(async (outer) => {
      await runInTransaction(outer, (inner) => inner.query('INSERT INTO counters (value) VALUES (77)'));
      throw new Error('the outer one fails');
    });
    await expect(failing).rejects.toThrow('the outer one fails');
    expect(await database.dataSource.getRepository(Counter).countBy({ value: 77 })).toBe(0);
  });
});
