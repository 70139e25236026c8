import type { MigrationInterface, QueryRunner } from 'typeorm';

const COUNTED = [
  'cpu_milliseconds',
  'disk_reads',
  'disk_writes',
  'disk_read_bytes',
  'disk_written_bytes',
  'packets_in',
  'packets_out',
  'bytes_in',
  'bytes_out',
];
const COLUMNS = COUNTED.map((column) => `${column} bigint NOT NULL CHECK (${column} >= 0)`).join(', ');

/** What servers use of CPU, disk and network: what their hosts last counted, and how that has grown. */
export class ServerSamples1760001520000 implements MigrationInterface {
  name = 'ServerSamples1760001520000';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      CREATE TABLE server_counters (
        server_id bigint PRIMARY KEY REFERENCES servers ON DELETE CASCADE,
        counted_at timestamptz NOT NULL,
        ${COLUMNS}
      );
      COMMENT ON TABLE server_counters IS 'as a host counted last; a start of the server begins anew';
      CREATE TABLE server_samples (
        server_id bigint NOT NULL REFERENCES servers ON DELETE CASCADE,
        until timestamptz NOT NULL,
        milliseconds bigint NOT NULL CHECK (milliseconds > 0),
        resolution_seconds integer NOT NULL CHECK (resolution_seconds >= 0),
        ${COLUMNS},
        PRIMARY KEY (server_id, until)
      );
      COMMENT ON COLUMN server_samples.milliseconds IS 'in which so much was used; those that were not looked at do not count';
      COMMENT ON COLUMN server_samples.resolution_seconds IS '0: as it was sampled; else merged to so many';
      CREATE INDEX server_samples_age ON server_samples (resolution_seconds, until);
    `);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('DROP TABLE server_samples, server_counters');
  }
}
