import { keepPreviousData, useInfiniteQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { ImagePackageWire } from '#libs/contracts';
import { type ContentsPath, packagesQuery } from '../api/contents.ts';
import { formatCount } from '../format.ts';
import { useSettled } from '../use-settled.ts';
import { Button } from './button.tsx';
import { ErrorPanel } from './error-panel.tsx';
import { SearchField } from './search-field.tsx';
import { Skeleton } from './skeleton.tsx';
import { Cell, Table } from './table.tsx';

/** Every package of a product or an image with its version, found while one types. */
export function PackageList({ path }: { path: ContentsPath }) {
  const [text, setText] = useState('');
  const search = useSettled(text.trim().toLowerCase());
  const found = useInfiniteQuery({ ...packagesQuery(path, search), placeholderData: keepPreviousData });
  const { data, error, refetch } = found;
  const packages = data?.pages.flatMap((page) => page.packages) ?? [];
  const total = data?.pages[0]?.meta.pagination.total_entries ?? 0;
  if (error && !data) return <ErrorPanel error={error} retry={refetch} title="Its packages are not shown" />;
  return (
    <div className="grid gap-4">
      <SearchField
        label="Find a package"
        placeholder="Find a package, such as openssl"
        value={text}
        onChange={setText}
      />
      <p role="status" className="text-sm text-soft tabular-nums">
        {data && (search === '' ? formatCount(total, 'package') : `${formatCount(total, 'package')} found`)}
      </p>
      {!data && <Skeleton className="h-72" />}
      {packages.length > 0 && <Packages packages={packages} />}
      {found.hasNextPage && (
        <Button
          look="secondary"
          className="justify-self-start"
          busy={found.isFetchingNextPage}
          onClick={() => void found.fetchNextPage()}
        >
          Show more
        </Button>
      )}
    </div>
  );
}

function Packages({ packages }: { packages: readonly ImagePackageWire[] }) {
  return (
    <Table caption="Packages" columns={['Package', 'Version']} isTall>
      {packages.map(({ name, version, source }) => (
        <tr key={name}>
          <Cell className="py-2! wrap-anywhere">
            <span className="font-medium">{name}</span>
            {source !== name && <span className="ml-2 text-sm text-soft">of {source}</span>}
          </Cell>
          <Cell className="py-2! font-mono text-sm wrap-anywhere">{version}</Cell>
        </tr>
      ))}
    </Table>
  );
}
