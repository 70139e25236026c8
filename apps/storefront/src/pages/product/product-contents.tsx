import { useQuery } from '@tanstack/react-query';
import { FileDown } from 'lucide-react';
import type { ProductWire } from '#libs/contracts';
import { productChangesQuery } from '../../api/contents.ts';
import { buttonClass } from '../../components/button.tsx';
import { PackageChanges } from '../../components/package-changes.tsx';
import { PackageList } from '../../components/package-list.tsx';
import { Section } from '../../components/section.tsx';
import { formatDay } from '../../format.ts';

/** Which packages are in the product's image, and what has changed since the build before. */
export function ProductContents({ product }: { product: ProductWire }) {
  const { name, title } = product;
  const { data } = useQuery(productChangesQuery(name));
  return (
    <div className="grid gap-12">
      <Section
        title="What is inside"
        hint="Every package of the image, in the version that you get."
        actions={
          <a href={`/v1/catalog/${name}/sbom`} download className={buttonClass('secondary', 'small')}>
            <FileDown aria-hidden="true" className="size-4" /> Bill of materials
            <span className="sr-only"> of {title}, CycloneDX 1.6</span>
          </a>
        }
      >
        <PackageList path={`/catalog/${name}`} />
      </Section>
      {data?.since && (
        <Section title="New in this build" hint={`Against the one of ${formatDay(data.since.cooked_at)}.`}>
          <PackageChanges caption="Packages that differ" changes={data.package_changes} />
        </Section>
      )}
    </div>
  );
}
