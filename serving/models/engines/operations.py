"""The operations that a served graph may hold: what classifiers of pictures compute with. Data.

An operation is allowed where it computes from its inputs and the model's own weights, and does nothing else. Those that
open files, start programs, talk to others, run Python, print or wait are not here, nor is what is new to this list.
"""

from collections.abc import Collection
from typing import NamedTuple


def _named(names: str) -> frozenset[str]:
    return frozenset(names.split())


_STRUCTURE = _named("""
    Const Identity IdentityN NoOp Placeholder PlaceholderWithDefault StopGradient PreventGradient EnsureShape
    GuaranteeConst PartitionedCall StatefulPartitionedCall If StatelessIf While StatelessWhile Case StatelessCase
    FakeParam Switch Merge Enter Exit NextIteration LoopCond ControlTrigger Assert
    VarHandleOp ReadVariableOp AssignVariableOp VarIsInitializedOp VariableShape DisableCopyOnRead
    VariableV2 Variable Assign IsVariableInitialized
    HashTable HashTableV2 LookupTableFind LookupTableFindV2 LookupTableSize LookupTableSizeV2
    LookupTableImport LookupTableImportV2 InitializeTable InitializeTableV2
    TensorListReserve TensorListFromTensor TensorListGetItem TensorListSetItem TensorListStack TensorListLength
    EmptyTensorList TensorListPushBack TensorListPopBack TensorListElementShape TensorListConcatV2 TensorListGather
    TensorArrayV3 TensorArrayReadV3 TensorArrayWriteV3 TensorArrayGatherV3 TensorArrayScatterV3 TensorArraySizeV3
    TensorArrayCloseV3 RaggedTensorToTensor RaggedTensorFromVariant RaggedTensorToVariant
""")
_SHAPES = _named("""
    Shape ShapeN Size Rank Reshape Squeeze ExpandDims Transpose ConjugateTranspose InvertPermutation BroadcastTo
    BroadcastArgs Pack Unpack Concat ConcatV2 ConcatOffset Split SplitV Slice StridedSlice Tile Pad PadV2 MirrorPad Fill
    ZerosLike OnesLike Range LinSpace Reverse ReverseV2 ReverseSequence Roll Gather GatherV2 GatherNd ScatterNd
    TensorScatterUpdate TensorScatterAdd TensorScatterSub TensorScatterMax TensorScatterMin OneHot Where Select SelectV2
    DynamicPartition DynamicStitch ParallelDynamicStitch SpaceToDepth DepthToSpace SpaceToBatch
    SpaceToBatchND BatchToSpace BatchToSpaceND Unique UniqueV2 UniqueWithCounts UniqueWithCountsV2 Diag DiagPart
    MatrixDiag MatrixDiagV3 MatrixDiagPart MatrixDiagPartV3 MatrixSetDiag MatrixSetDiagV3 MatrixBandPart Snapshot
    DataFormatDimMap DataFormatVecPermute UnravelIndex SparseToDense ListDiff
""")
_ARITHMETIC = _named("""
    Cast Bitcast Abs Neg Sign Add AddV2 AddN AccumulateNV2 Sub Mul MulNoNan Div DivNoNan RealDiv FloorDiv TruncateDiv
    FloorMod Mod TruncateMod Reciprocal Inv Pow Square Sqrt Rsqrt SquaredDifference Exp Expm1 Log Log1p Xlogy Xlog1py
    Xdivy Floor Ceil Round Rint Maximum Minimum ClipByValue Sin Cos Tan Asin Acos Atan Atan2 Sinh Cosh Tanh Asinh Acosh
    Atanh Erf Erfc Erfinv Ndtri Lgamma Digamma IsNan IsInf IsFinite CheckNumerics Equal NotEqual Less LessEqual Greater
    GreaterEqual ApproximateEqual LogicalAnd LogicalOr LogicalNot BitwiseAnd BitwiseOr BitwiseXor Invert LeftShift
    RightShift Real Imag Complex ComplexAbs Conj Angle FFT FFT2D IFFT IFFT2D RFFT RFFT2D IRFFT IRFFT2D
    Sum Mean Prod Max Min All Any EuclideanNorm ArgMax ArgMin Cumsum Cumprod CumulativeLogsumexp TopK TopKV2 InTopK
    InTopKV2 NthElement Bincount DenseBincount HistogramFixedWidth Bucketize LowerBound UpperBound SegmentSum
    SegmentMean SegmentMax SegmentMin UnsortedSegmentSum UnsortedSegmentMax UnsortedSegmentMin L2Loss
    MatMul BatchMatMul BatchMatMulV2 BatchMatMulV3 Einsum Cross MatrixInverse MatrixDeterminant Cholesky
""")
_NETWORKS = _named("""
    Conv Conv2D Conv3D Conv2DBackpropInput Conv3DBackpropInputV2 DepthwiseConv2dNative Dilation2D BiasAdd BiasAddV1
    AvgPool AvgPool3D MaxPool MaxPoolV2 MaxPool3D MaxPoolWithArgmax FractionalAvgPool FractionalMaxPool LRN
    FusedBatchNorm FusedBatchNormV2 FusedBatchNormV3 FusedPadConv2D FusedResizeAndPadConv2D ExtractImagePatches
    Relu Relu6 LeakyRelu Elu Selu Softplus Softsign Sigmoid Softmax LogSoftmax
    SoftmaxCrossEntropyWithLogits SparseSoftmaxCrossEntropyWithLogits
    FakeQuantWithMinMaxArgs FakeQuantWithMinMaxVars FakeQuantWithMinMaxVarsPerChannel QuantizeAndDequantizeV2
    QuantizeAndDequantizeV3 QuantizeAndDequantizeV4 QuantizeV2 Dequantize UniformQuantize UniformDequantize
    UniformRequantize UniformQuantizedConvolution UniformQuantizedDot UniformQuantizedAdd UniformQuantizedClipByValue
""")
_RANDOM = _named("""
    RandomUniform RandomUniformInt RandomStandardNormal TruncatedNormal RandomShuffle StatelessRandomUniform
    StatelessRandomUniformV2 StatelessRandomUniformInt StatelessRandomUniformIntV2 StatelessRandomNormal
    StatelessRandomNormalV2 StatelessTruncatedNormal StatelessTruncatedNormalV2 StatelessRandomGetAlg
    StatelessRandomGetKeyCounter StatelessRandomGetKeyCounterAlg RngReadAndSkip
""")
_PICTURES = _named("""
    DecodeJpeg DecodeAndCropJpeg ExtractJpegShape DecodePng DecodeGif DecodeBmp DecodeImage DecodeWebP DecodeBase64
    DecodeRaw DecodePaddedRaw ResizeArea ResizeBicubic ResizeBilinear ResizeNearestNeighbor ScaleAndTranslate
    CropAndResize ExtractGlimpse ExtractGlimpseV2 AdjustContrastv2 AdjustHue AdjustSaturation RGBToHSV HSVToRGB
    ImageProjectiveTransformV2 ImageProjectiveTransformV3 SampleDistortedBoundingBox SampleDistortedBoundingBoxV2
    StatelessSampleDistortedBoundingBox NonMaxSuppressionV3 NonMaxSuppressionV4 NonMaxSuppressionV5
    CombinedNonMaxSuppression
    ParseExample ParseExampleV2 ParseSingleExample ParseSequenceExample ParseSequenceExampleV2
    AsString StringJoin StringFormat StringLength StringLower StringUpper StringStrip StringSplit StringSplitV2
    StringToNumber StringToHashBucket StringToHashBucketFast StringToHashBucketStrong Substr RegexFullMatch RegexReplace
    StaticRegexFullMatch StaticRegexReplace ReduceJoin EncodeBase64
""")

ALLOWED = _STRUCTURE | _SHAPES | _ARITHMETIC | _NETWORKS | _RANDOM | _PICTURES
"""In whatever may run when a model is loaded or asked."""

RESTORING = frozenset({"RestoreV2"})
"""More, in what the saver restores variables with. It reads checkpoints and nothing else: the SavedModel's own, though
a graph could name another that the server may read.
"""

SAVING = frozenset({"SaveV2", "ShardedFilename", "MergeV2Checkpoints"})
"""More, in what the saver saves variables with. Every SavedModel has it, and nothing that serves runs it."""


class Trust(NamedTuple):
    """What whoever runs the server allows beyond that."""

    operations: Collection[str] = ()
    """By name."""
    everything: bool = False


NO_TRUST = Trust()
