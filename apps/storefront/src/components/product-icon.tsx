/** A product's own icon. As an image, an SVG of the catalog can run no script in our page. */
export function ProductIcon({ svg, className = 'size-12' }: { svg: string; className?: string }) {
  return <img alt="" className={className} src={`data:image/svg+xml;utf8,${encodeURIComponent(svg)}`} />;
}
