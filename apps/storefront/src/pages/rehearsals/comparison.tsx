import type { ReactNode } from 'react';
import type { RehearsalRunWire, RehearsalWire, SystemStateWire } from '#libs/contracts';
import { Cell, Table } from '../../components/table.tsx';
import { formatBytes, formatCount } from '../../format.ts';
import { nameOfCheck } from '../../health-check-words.ts';

/** Three columns: the server before, the clone after the script, and the server after it. */
export function Comparison({ rehearsal: { rehearsal: tried, production } }: { rehearsal: RehearsalWire }) {
  const states = [tried?.before ?? null, tried?.after ?? null, production?.after ?? null];
  const runs = [null, tried, production];
  return (
    <Table caption="Before, rehearsal and after" columns={['Of the system', 'Before', 'Rehearsal', 'After']}>
      <Row title="Script">{runs.map((run) => run && endOf(run))}</Row>
      <Row title="Health checks">
        {runs.map((run) => run?.checks && <Checks key={run.server} run={run} />)}
      </Row>
      <Row title="Kernel">{states.map((state) => state?.kernel)}</Row>
      <Row title="Packages">{states.map((state) => state && formatCount(state.packages, 'package'))}</Row>
      <Row title="Failed units">{states.map((state) => state && listed(state.failed_units, 'none'))}</Row>
      <Row title="Listens at">{states.map((state) => state && listed(state.listening, 'nothing'))}</Row>
      <Row title="Disk in use">{states.map((state) => state && disksOf(state))}</Row>
      <Row title="Time to boot">
        {states.map((state) => state?.boot_seconds != null && `${state.boot_seconds.toFixed(1)} s`)}
      </Row>
    </Table>
  );
}

const COLUMNS = ['before', 'rehearsal', 'after'] as const;

function Row({ title, children }: { title: string; children: readonly ReactNode[] }) {
  return (
    <tr>
      <th scope="row" className="px-4 py-3 align-top font-medium whitespace-nowrap">
        {title}
      </th>
      {COLUMNS.map((column, index) => (
        <Cell key={column} className="min-w-44 wrap-anywhere">
          {children[index] || <span className="text-soft">–</span>}
        </Cell>
      ))}
    </tr>
  );
}

function endOf({ status, exit_code: exitCode, script_seconds: seconds }: RehearsalRunWire): string {
  if (exitCode === null) return status === 'running' ? 'Running' : '';
  const took = seconds === null ? '' : ` after ${formatCount(seconds, 'second')}`;
  return exitCode === 0 ? `Ended well${took}` : `Ended with ${exitCode}${took}`;
}

function Checks({ run }: { run: RehearsalRunWire }) {
  if (run.checks?.length === 0) return 'Not tried';
  return (
    <ul>
      {run.checks?.map(({ check, passed }) => (
        <li key={nameOfCheck(check)} className={passed ? '' : 'font-medium text-bad'}>
          {passed ? 'Passed' : 'Failed'}: {nameOfCheck(check)}
        </li>
      ))}
    </ul>
  );
}

function listed(names: readonly string[], nothing: string): ReactNode {
  if (names.length === 0) return nothing;
  return (
    <ul>
      {names.map((name) => (
        <li key={name}>{name}</li>
      ))}
    </ul>
  );
}

function disksOf({ disks }: SystemStateWire): string {
  return disks
    .map((disk) => `${disk.mount_point} ${formatBytes(disk.used_bytes)} of ${formatBytes(disk.size_bytes)}`)
    .join(', ');
}
