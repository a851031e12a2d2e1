// Reads what the checks need from TypeScript sources: imports, and uses of names that no file declares.
import ts from 'typescript';

/** @typedef {{ specifier: string, line: number, isTypeOnly: boolean }} Import */
/** @typedef {{ name: string, line: number }} GlobalUse */
/** @typedef {{ imports: Import[], globals: GlobalUse[] }} Source */

/**
 * The compiler binds each file by itself, without libraries: a name it cannot find there is a global.
 * @param {ReadonlyMap<string, string>} files path → text
 * @returns {Map<string, Source>}
 */
export function readSources(files) {
  const options = { noLib: true, noResolve: true, allowJs: false, types: [], target: ts.ScriptTarget.ES2022 };
  const host = ts.createCompilerHost(options);
  host.getCurrentDirectory = () => '/';
  host.fileExists = (path) => files.has(path.replace(/^\//, ''));
  host.readFile = (path) => files.get(path.replace(/^\//, ''));
  host.getSourceFile = (path, version) => {
    const text = host.readFile(path);
    return text === undefined ? undefined : ts.createSourceFile(path, text, version, true);
  };
  const program = ts.createProgram([...files.keys()], options, host);
  const checker = program.getTypeChecker();
  return new Map(
    [...files.keys()].map((path) => {
      const file = program.getSourceFile(path);
      if (!file) throw new Error(`cannot parse ${path}`);
      return [path, { imports: readImports(file), globals: readGlobals(file, checker) }];
    }),
  );
}

/** @param {ts.SourceFile} file */
function readImports(file) {
  /** @type {Import[]} */
  const found = [];
  const add = (/** @type {ts.Node | undefined} */ specifier, /** @type {boolean} */ isTypeOnly) => {
    if (specifier && ts.isStringLiteralLike(specifier)) found.push({ specifier: specifier.text, line: lineOf(file, specifier), isTypeOnly });
  };
  visit(file, (node) => {
    if (ts.isImportDeclaration(node)) add(node.moduleSpecifier, node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword);
    if (ts.isExportDeclaration(node)) add(node.moduleSpecifier, node.isTypeOnly);
    if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) add(node.arguments[0], false);
    if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) add(node.argument.literal, true);
  });
  return found;
}

/**
 * @param {ts.SourceFile} file
 * @param {ts.TypeChecker} checker
 */
function readGlobals(file, checker) {
  /** @type {GlobalUse[]} */
  const found = [];
  visit(file, (node) => {
    if (!ts.isIdentifier(node) || !isValueUse(node) || isDeclaredInFile(node, checker)) return;
    for (const name of namesOfUse(node)) found.push({ name, line: lineOf(file, node) });
  });
  return found;
}

/**
 * What a use can be called: `Date.now` is both `Date` and `Date.now`; `new Date()` is `new Date()` as well.
 * @param {ts.Identifier} node
 */
function namesOfUse(node) {
  const names = [node.text];
  const { parent } = node;
  if (ts.isPropertyAccessExpression(parent)) names.push(`${node.text}.${parent.name.text}`);
  if (ts.isElementAccessExpression(parent) && ts.isStringLiteralLike(parent.argumentExpression)) {
    names.push(`${node.text}.${parent.argumentExpression.text}`);
  }
  if (ts.isCallExpression(parent) && parent.expression === node && parent.arguments.length === 0) names.push(`${node.text}()`);
  if (ts.isNewExpression(parent) && parent.expression === node && !parent.arguments?.length) names.push(`new ${node.text}()`);
  return names;
}

/** @param {ts.Identifier} node */
function isValueUse(node) {
  const { parent } = node;
  if (ts.isShorthandPropertyAssignment(parent)) return true;
  if (ts.isPropertyAccessExpression(parent)) return parent.expression === node;
  if (ts.isExpressionWithTypeArguments(parent)) return ts.isClassLike(parent.parent.parent) && isExtends(parent.parent);
  return ts.isExpression(parent) || ts.isStatement(parent) || isInitializer(node);
}

/** @param {ts.Node} clause */
function isExtends(clause) {
  return ts.isHeritageClause(clause) && clause.token === ts.SyntaxKind.ExtendsKeyword;
}

/**
 * `x` in `const a = x`, `f(a = x)`, `{ a: x }`, `[x]: …`, `export default x`, `${x}` and the like.
 * @param {ts.Identifier} node
 */
function isInitializer(node) {
  const parent = /** @type {ts.Node & { initializer?: ts.Node, expression?: ts.Node }} */ (node.parent);
  return parent.initializer === node || parent.expression === node;
}

/**
 * @param {ts.Identifier} node
 * @param {ts.TypeChecker} checker
 */
function isDeclaredInFile(node, checker) {
  const symbol = ts.isShorthandPropertyAssignment(node.parent)
    ? checker.getShorthandAssignmentValueSymbol(node.parent)
    : checker.getSymbolAtLocation(node);
  return (symbol?.declarations?.length ?? 0) > 0;
}

/**
 * @param {ts.Node} node
 * @param {(node: ts.Node) => void} look
 */
function visit(node, look) {
  look(node);
  ts.forEachChild(node, (child) => visit(child, look));
}

/**
 * @param {ts.SourceFile} file
 * @param {ts.Node} node
 */
function lineOf(file, node) {
  return file.getLineAndCharacterOfPosition(node.getStart(file)).line + 1;
}
