# Prints the samples of test/data/parquet-samples.ts. Needs pyarrow and NumPy.
import base64, io, numpy as np, pyarrow as pa, pyarrow.parquet as pq
def fsl(rows,t,size,**k): return pa.array(rows,pa.list_(t,size))
def enc(table,**k):
    b=io.BytesIO(); pq.write_table(table,b,**k); return base64.b64encode(b.getvalue()).decode()
rows=[[1.5,-2,0.25],[3,4,-0.0],[65504,6e-8,7]]
F={
 'float32': enc(pa.table({'id':['a','b','c'],'e':fsl(rows,pa.float32(),3)})),
 'float16': enc(pa.table({'e':fsl([[np.float16(x) for x in r] for r in rows],pa.float16(),3)}),compression='gzip'),
 'float64': enc(pa.table({'e':pa.array(rows,pa.list_(pa.float64()))}),use_dictionary=False,data_page_version='2.0',compression='brotli'),
 'split': enc(pa.table({'e':pa.array(rows,pa.list_(pa.float32()))}),use_dictionary=False,use_byte_stream_split=True,compression='none',row_group_size=2),
 'nullList': enc(pa.table({'e':pa.array([[1.,2.],None],pa.list_(pa.float32()))}),compression='none'),
 'nullNumber': enc(pa.table({'e':pa.array([[1.,2.],[3.,None]],pa.list_(pa.float32()))}),compression='none'),
 'ragged': enc(pa.table({'e':pa.array([[1.,2.],[3.]],pa.list_(pa.float32()))}),compression='none'),
 'delta': enc(pa.table({'e':pa.array([[1,2],[3,4]],pa.list_(pa.int32()))}),use_dictionary=False,column_encoding={'e.list.element':'DELTA_BINARY_PACKED'}),
 'lz4': enc(pa.table({'e':pa.array([[1,2],[3,4]],pa.list_(pa.int32()))}),compression='lz4'),
 'corpus': enc(pa.table({'_id':pa.array([2**62+1,5,-7],pa.int64()),'title':['T','',None],'text':['one','two é','three'],'when':pa.array([1,2,3],pa.timestamp('ms'))})),
 'qrels': enc(pa.table({'query-id':['q1','q1','q2'],'corpus-id':pa.array([2**62+1,5,-7],pa.int64()),'score':[1,0,2]})),
 'nullId': enc(pa.table({'id':pa.array(['a',None])})),
 'twice': enc(pa.table({'id':['a','b','a']})),
 'tevatron': enc(pa.Table.from_pylist([{'query_id':'q1','query':'?','positive_passages':[{'docid':'5','title':'','text':'two é'}],'negative_passages':[{'docid':'-7','title':'','text':'three'},{'docid':'-7','title':'','text':'three'}]}])),
}
for k,v in F.items(): print(f"  {k}: '{v}',")
