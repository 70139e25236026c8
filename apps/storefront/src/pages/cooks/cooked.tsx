import { FileDown } from 'lucide-react';
import type { CookWire } from '#libs/contracts';
import { request } from '../../api/client.ts';
import { Button } from '../../components/button.tsx';
import { Fact } from '../../components/fact.tsx';
import { PackageChanges } from '../../components/package-changes.tsx';
import { PackageList } from '../../components/package-list.tsx';
import { Panel, Section } from '../../components/section.tsx';
import { Time } from '../../components/time.tsx';
import { formatBytes, formatCount, formatDuration } from '../../format.ts';
import { saveAs } from '../../save-as.ts';
import { ExportsPanel } from '../exports/exports-panel.tsx';
import { FileChanges } from './file-changes.tsx';
import { OlderServers } from './older-servers.tsx';

/** An image that was cooked: what it is, what is new in it, what is inside, and the way to take it home. */
export function Cooked({ cook }: { cook: CookWire }) {
  const { image, changes, former, recipe } = cook;
  return (
    <>
      <div className="grid grid-cols-[minmax(0,1fr)] items-start gap-8 lg:grid-cols-2">
        <Facts cook={cook} />
        {image !== null && <ExportsPanel source={{ type: 'image', id: image, name: recipe.name }} />}
      </div>
      {changes && former && (
        <Section title="What is new" hint={`Against the image of version ${former.version}.`}>
          <div className="grid gap-6">
            <PackageChanges caption="Packages that differ" changes={changes.packages} />
            <FileChanges files={changes.files} />
          </div>
        </Section>
      )}
      {image !== null && <OlderServers cook={cook} />}
      {image !== null && (
        <Section
          title="What is inside"
          actions={
            <Button look="secondary" size="small" onClick={() => void saveSbom(image)}>
              <FileDown aria-hidden="true" className="size-4" /> Bill of materials
            </Button>
          }
        >
          <PackageList path={`/images/${image}`} />
        </Section>
      )}
    </>
  );
}

function Facts({ cook }: { cook: CookWire }) {
  const { started, finished, size_bytes: size, packages_count: count, sha256, unchanged } = cook;
  const tookMs = started && finished ? Date.parse(finished) - Date.parse(started) : null;
  return (
    <Panel>
      <h2 className="text-lg">The image</h2>
      {unchanged && (
        <p className="mt-2 text-soft">
          Neither recipe nor packages have changed: it is the former image, to the byte.
        </p>
      )}
      <dl className="mt-3 divide-y divide-line text-[0.9375rem]">
        {count !== null && <Fact label="Contents">{formatCount(count, 'package')}</Fact>}
        {size !== null && <Fact label="Size">{formatBytes(size)}</Fact>}
        {finished && (
          <Fact label="Cooked">
            <Time at={finished} />
          </Fact>
        )}
        {tookMs !== null && <Fact label="It took">{formatDuration(tookMs)}</Fact>}
        {sha256 && (
          <Fact label="SHA-256">
            <code className="font-mono text-sm break-all">{sha256}</code>
          </Fact>
        )}
      </dl>
    </Panel>
  );
}

/** As the project's own: a plain link would ask for it in another project. */
async function saveSbom(image: number): Promise<void> {
  const answer = await request(`/images/${image}/sbom`, { method: 'GET', headers: {} });
  saveAs(`image-${image}.cdx.json`, 'application/vnd.cyclonedx+json', await answer.text());
}
