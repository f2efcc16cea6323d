package dev.cambium.ledger.merkle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.cambium.model.Digest;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

/** Against the reference values of Certificate Transparency's test suite, and by properties. */
class MerkleTest {

  private static final List<String> LEAVES =
      List.of(
          "",
          "00",
          "10",
          "2021",
          "3031",
          "40414243",
          "5051525354555657",
          "606162636465666768696a6b6c6d6e6f");

  /** Roots of the trees of the first 1, 2, … of these leaves. */
  private static final List<String> ROOTS =
      List.of(
          "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
          "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
          "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
          "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
          "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
          "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
          "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
          "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328");

  @Test
  void rootsAreThePublishedOnes() {
    assertThat(new Tree(0).root().hex())
        .isEqualTo("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    for (int size = 1; size <= LEAVES.size(); size++) {
      assertThat(published(size).root().hex()).isEqualTo(ROOTS.get(size - 1));
    }
  }

  @Test
  void inclusionProofsAreThePublishedOnes() {
    assertProof(Proofs.inclusion(0, 1, published(1)));
    assertProof(
        Proofs.inclusion(0, 8, published(8)),
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4");
    assertProof(
        Proofs.inclusion(5, 8, published(8)),
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7");
    assertProof(
        Proofs.inclusion(2, 3, published(3)),
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125");
  }

  @Test
  void consistencyProofsAreThePublishedOnes() {
    assertProof(Proofs.consistency(1, 1, published(1)));
    assertProof(
        Proofs.consistency(1, 8, published(8)),
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4");
    assertProof(
        Proofs.consistency(6, 8, published(8)),
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7");
    assertProof(
        Proofs.consistency(2, 5, published(5)),
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b");
  }

  private static void assertProof(List<Digest> proof, String... hex) {
    assertThat(proof).extracting(Digest::hex).containsExactly(hex);
  }

  /** The definition of RFC 9162, section 2.1.1, taken literally. */
  private static Digest definition(List<byte[]> leaves) {
    if (leaves.isEmpty()) {
      return MerkleHash.EMPTY;
    }
    if (leaves.size() == 1) {
      return MerkleHash.leaf(leaves.get(0));
    }
    int k = 1;
    while (k * 2 < leaves.size()) {
      k *= 2;
    }
    return MerkleHash.node(
        definition(leaves.subList(0, k)), definition(leaves.subList(k, leaves.size())));
  }

  @Property(tries = 100)
  void growingGivesTheRootThatTheDefinitionGives(@ForAll @IntRange(max = 300) int size) {
    Tree tree = new Tree(size);
    assertThat(tree.root()).isEqualTo(definition(tree.leaves));
    assertThat(CompactRange.load(size, tree).root()).isEqualTo(tree.root());
  }

  @Property(tries = 200)
  void everyLeafIsProvablyIncludedAndNothingElse(
      @ForAll @IntRange(min = 1, max = 300) int size, @ForAll @IntRange(max = 299) int any) {
    Tree tree = new Tree(size);
    int index = any % size;
    Digest leaf = tree.node(0, index);
    List<Digest> proof = Proofs.inclusion(index, size, tree);
    assertThat(Proofs.includes(leaf, index, size, proof, tree.root())).isTrue();

    Digest other = Digest.ofText("other");
    assertThat(Proofs.includes(other, index, size, proof, tree.root())).isFalse();
    assertThat(Proofs.includes(leaf, index, size, proof, other)).isFalse();
    assertThat(Proofs.includes(leaf, size, size, proof, tree.root())).isFalse();
    assertThat(Proofs.includes(leaf, -1, size, proof, tree.root())).isFalse();
    if (size > 1) {
      assertThat(Proofs.includes(leaf, (index + 1) % size, size, proof, tree.root())).isFalse();
    }
    for (List<Digest> wrong : damaged(proof)) {
      assertThat(Proofs.includes(leaf, index, size, wrong, tree.root())).isFalse();
    }
  }

  @Property(tries = 200)
  void everyBeginningIsProvablyConsistentAndNothingElse(
      @ForAll @IntRange(min = 1, max = 300) int later, @ForAll @IntRange(max = 300) int any) {
    Tree tree = new Tree(later);
    int earlier = any % (later + 1);
    Digest before = new Tree(earlier).root();
    List<Digest> proof = Proofs.consistency(earlier, later, tree);
    assertThat(Proofs.consistent(earlier, before, later, tree.root(), proof)).isTrue();

    Digest other = Digest.ofText("other");
    assertThat(Proofs.consistent(earlier, other, later, tree.root(), proof)).isFalse();
    assertThat(Proofs.consistent(later + 1, before, later, tree.root(), proof)).isFalse();
    if (earlier > 0) {
      assertThat(Proofs.consistent(earlier, before, later, other, proof)).isFalse();
    }
    for (List<Digest> wrong : damaged(proof)) {
      assertThat(Proofs.consistent(earlier, before, later, tree.root(), wrong)).isFalse();
    }
  }

  /** A proof with each hash changed, without its last, and with one more. */
  private static List<List<Digest>> damaged(List<Digest> proof) {
    List<List<Digest>> all = new ArrayList<>();
    for (int i = 0; i < proof.size(); i++) {
      List<Digest> changed = new ArrayList<>(proof);
      changed.set(i, Digest.ofText("damage"));
      all.add(changed);
    }
    if (!proof.isEmpty()) {
      all.add(proof.subList(0, proof.size() - 1));
    }
    List<Digest> longer = new ArrayList<>(proof);
    longer.add(Digest.ofText("damage"));
    all.add(longer);
    return all;
  }

  @Test
  void impossibleQuestionsAreRefused() {
    Tree tree = new Tree(4);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Proofs.inclusion(4, 4, tree))
        .withMessage("no leaf 4 in a tree of 4");
    assertThatIllegalArgumentException().isThrownBy(() -> Proofs.inclusion(-1, 4, tree));
    assertThatIllegalArgumentException().isThrownBy(() -> Proofs.consistency(5, 4, tree));
    assertThatIllegalArgumentException().isThrownBy(() -> CompactRange.load(-1, tree));
  }

  private static Tree published(int size) {
    Tree tree = new Tree();
    LEAVES.stream().limit(size).map(HexFormat.of()::parseHex).forEach(tree::add);
    return tree;
  }

  /** A tree that keeps what its sink is told, as a store does. */
  private static final class Tree implements NodeSource {

    private final List<byte[]> leaves = new ArrayList<>();
    private final Map<List<Long>, Digest> nodes = new HashMap<>();
    private final CompactRange range = new CompactRange();

    Tree() {}

    Tree(int size) {
      for (int i = 0; i < size; i++) {
        add(("leaf " + i).getBytes(StandardCharsets.UTF_8));
      }
    }

    void add(byte[] leaf) {
      Digest hash = MerkleHash.leaf(leaf);
      nodes.put(List.of(0L, (long) leaves.size()), hash);
      leaves.add(leaf);
      range.append(
          hash,
          (level, position, node) ->
              assertThat(nodes.put(List.of((long) level, position), node)).isNull());
    }

    Digest root() {
      return range.root();
    }

    @Override
    public Digest node(int level, long position) {
      Digest node = nodes.get(List.of((long) level, position));
      assertThat(node).as("node at level %d, position %d", level, position).isNotNull();
      return node;
    }
  }
}
