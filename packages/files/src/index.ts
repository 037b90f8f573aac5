export { type OpenHandle, OutputFile, type OutputFileOptions, type OutputHandle } from './output-file.ts';
export { expandPath, type PathFacts } from './path-template.ts';
export { replaceFile } from './replace-file.ts';
